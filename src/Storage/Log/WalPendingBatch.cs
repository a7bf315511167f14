using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Log;

/// <summary>A batch in memory, open or closed, that the writer has not taken yet.</summary>
internal record struct WalPendingBatch
{
    public long Number;
    public WalBuffer Buffer;

    /// <summary>In the buffer: of the batch header, and behind the last record.</summary>
    public int Start;
    public int End;

    public int Records;
    public int Entries;
    public uint RecordsChecksum;

    /// <summary>The last log entry, and the hard state, at this point of the log.</summary>
    public LogPosition Last;
    public HardState State;

    /// <summary>The log restarts behind this position, in a new segment, with this batch.</summary>
    public LogPosition? Reset;

    public readonly int Bytes => End - Start;

    public readonly int BytesOnDisk => AlignedMemory.RoundUp(Bytes);

    public readonly bool IsEmpty => Records == 0;

    /// <summary>The batch after this one, empty.</summary>
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
    public readonly WalPendingBatch MovedTo(WalBuffer buffer) => this with { Buffer = buffer, Start = 0, End = WalBatchHeader.Size };
}
