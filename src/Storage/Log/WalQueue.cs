using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Log;

/// <summary>
/// Batches between loop and writer: closed ones, and the open one. From the first append to the next publish the open batch is the
/// loop's alone, so appending takes no lock; between publish and append it belongs to whoever holds the log's gate, and the writer may seal it.
/// Everything here but appending happens under the gate.
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

    /// <summary>Set under the gate, by the loop; the loop itself may read it without.</summary>
    public bool IsAppending { get; private set; }

    /// <summary>The loop's, while it is appending.</summary>
    public ref WalPendingBatch Open => ref open;

    /// <summary>On the disk, for all that is queued, if the open batch were taken as it is.</summary>
    public long BytesOnDisk => closedBytes + (open.IsEmpty ? 0 : open.BytesOnDisk);

    /// <summary>Batches queued with which the log restarts: each needs a new segment.</summary>
    public int Resets => closedResets + (open.Reset is null ? 0 : 1);

    /// <summary>Nothing is queued, and the loop, whose the open batch is while it appends, isn't about to queue anything.</summary>
    public bool IsIdle => !IsAppending && closed.Count == 0 && open.IsEmpty;

    public void BeginAppending() => IsAppending = true;

    public void Publish()
    {
        IsAppending = false;
        published = closed.Count;
    }

    /// <summary>The open batch goes into the queue, and a new one begins in another buffer.</summary>
    public void Close(WalBuffer next) => Close(next, 0);

    /// <summary>What is appended from now on goes behind <paramref name="position"/>, in a new segment.</summary>
    public void Reset(LogPosition position)
    {
        Invariant.Hold(IsAppending);
        if (!open.IsEmpty)
            Close(open.Buffer, open.Start + open.BytesOnDisk);
        open.Reset = position;
        open.Last = position;
    }

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

    /// <summary>An empty batch in place of the open one. <see cref="WalPendingBatch.Buffer"/> is not where its image is.</summary>
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
