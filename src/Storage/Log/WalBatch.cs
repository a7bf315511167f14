using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>What one sync makes durable: records that stand together in memory and go to one place of one file with one write.</summary>
public readonly record struct WalBatch
{
    /// <summary>Consecutive over the life of the log, from 1.</summary>
    public long Number { get; internal init; }

    /// <summary>The last log entry at this point of the log: what is durable when this batch is.</summary>
    public LogPosition Last { get; internal init; }

    /// <summary>Log entries in it. 0: hard states only, or a seal.</summary>
    public int Entries { get; internal init; }

    /// <summary>Bytes on the disk, from header to padding.</summary>
    public int Bytes { get; internal init; }

    /// <summary>The log restarts with it.</summary>
    internal bool Resets { get; init; }

    /// <summary>The last log entry when its segment began.</summary>
    internal LogPosition SegmentStart { get; init; }

    internal long Segment { get; init; }

    internal int Offset { get; init; }

    internal nint Address { get; init; }

    internal unsafe Span<byte> Image => new((void*)Address, Bytes);
}
