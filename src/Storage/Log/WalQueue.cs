using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Batches between the loop and the writer thread: closed batches, and the open batch.
/// <para>
/// From an append to the next publish, only the loop touches the open batch, so appending takes no lock. From the
/// publish to the next append, the open batch belongs to the holder of the log's gate, and the writer thread may take
/// it. Everything else here happens under the gate.
/// </para>
/// <para>
/// Bound: <see cref="Wal.HasRoom"/> counts the queued bytes. So the queue holds at most the rest of the current segment
/// and one prepared segment, and the few records that are never refused (<see cref="WalOptions.ReserveBytes"/>).
/// </para>
/// </summary>
internal sealed class WalQueue
{
    private const int ClosedAtFirst = 64;

    private readonly Ring<WalPendingBatch> closed = new(ClosedAtFirst);
    private int published;
    private long closedBytes;
    private int closedResets;
    private WalPendingBatch open;

    public WalQueue(WalPendingBatch open) => this.open = open;

    /// <summary>
    /// True from an append to the next publish. The loop writes this under the gate, and may read this without the
    /// gate.
    /// </summary>
    public bool IsAppending { get; private set; }

    /// <summary>
    /// The open batch. Without the gate, only the loop may use it, and only while <see cref="IsAppending"/>.
    /// </summary>
    public ref WalPendingBatch Open => ref open;

    /// <summary>Bytes that all queued batches take on the disk, if the open batch is taken as it is.</summary>
    public long BytesOnDisk => closedBytes + (open.IsEmpty ? 0 : open.BytesOnDisk);

    /// <summary>Queued batches with which the log restarts. Each needs a new segment.</summary>
    public int Resets => closedResets + (open.Reset is null ? 0 : 1);

    /// <summary>True if no record is queued and the loop is not appending.</summary>
    public bool IsIdle => !IsAppending && closed.Count == 0 && open.IsEmpty;

    public void BeginAppending() => IsAppending = true;

    public void Publish()
    {
        IsAppending = false;
        published = closed.Count;
    }

    /// <summary>Closes the open batch, and opens the next batch in another buffer.</summary>
    public void Close(WalBuffer next) => Close(next, 0);

    /// <summary>Makes later appends follow <paramref name="position"/>, in a new segment.</summary>
    public void Reset(LogPosition position)
    {
        Invariant.Hold(IsAppending);
        if (!open.IsEmpty)
            Close(open.Buffer, open.Start + open.BytesOnDisk);
        open.Reset = position;
        open.Last = position;
    }

    /// <summary>
    /// Takes the oldest published batch. Returns false if no batch is published, or if the loop is appending to it.
    /// </summary>
    public bool TryTake(out WalPendingBatch batch)
    {
        batch = default;
        if (published > 0)
        {
            batch = closed.PopFront();
            published--;
            closedBytes -= batch.BytesOnDisk;
            closedResets -= batch.Reset is null ? 0 : 1;
            return true;
        }
        if (IsAppending || open.IsEmpty)
            return false;
        Invariant.Hold(closed.Count == 0);
        batch = open;
        open = open.Next(open.Buffer, open.Start + open.BytesOnDisk);
        return true;
    }

    /// <summary>
    /// Takes an empty batch with the open batch's number. The batch's image is not in
    /// <see cref="WalPendingBatch.Buffer"/>.
    /// </summary>
    public WalPendingBatch TakeSeal()
    {
        Invariant.Hold(IsIdle);
        WalPendingBatch seal = open;
        open.Number++;
        return seal;
    }

    private void Close(WalBuffer buffer, int start)
    {
        closed.PushBack(open);
        closedBytes += open.BytesOnDisk;
        closedResets += open.Reset is null ? 0 : 1;
        open = open.Next(buffer, start);
    }
}

/// <summary>A batch in memory, open or closed, that the writer thread has not taken yet.</summary>
internal record struct WalPendingBatch
{
    public long Number;
    public WalBuffer Buffer;

    /// <summary>Offset of the batch's header in the buffer.</summary>
    public int Start;

    /// <summary>Offset of the next record in the buffer.</summary>
    public int End;

    public int Records;
    public int Entries;
    public uint RecordsChecksum;

    /// <summary>Last log entry at the end of the batch.</summary>
    public LogPosition Last;

    /// <summary>Hard state at the end of the batch.</summary>
    public HardState State;

    /// <summary>
    /// Position after which the log restarts with this batch, in a new segment; null in other batches.
    /// </summary>
    public LogPosition? Reset;

    public readonly int Bytes => End - Start;

    public readonly int BytesOnDisk => AlignedMemory.RoundUp(Bytes);

    public readonly bool IsEmpty => Records == 0;

    /// <summary>The batch after this batch, empty.</summary>
    public readonly WalPendingBatch Next(WalBuffer buffer, int start) => new()
    {
        Number = Number + 1,
        Buffer = buffer,
        Start = start,
        End = start + WalBatchHeader.Size,
        Last = Last,
        State = State,
    };

    /// <summary>The same batch, still empty, in another buffer.</summary>
    public readonly WalPendingBatch MovedTo(WalBuffer buffer) =>
        this with { Buffer = buffer, Start = 0, End = WalBatchHeader.Size };
}
