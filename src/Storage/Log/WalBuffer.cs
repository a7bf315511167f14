using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>Memory for batches. What was written into it stays as it is until the buffer is reused, because the writer may be reading it.</summary>
internal sealed class WalBuffer(int bytes) : IDisposable
{
    public AlignedMemory Memory { get; } = new(bytes);

    /// <summary>Consecutive in the order of use.</summary>
    public int Sequence { get; private set; }

    /// <summary>The last batch that has records here; 0: none.</summary>
    public long LastBatch { get; set; }

    /// <summary>Log entries here, without those truncated. Last below First: none.</summary>
    public long FirstIndex { get; private set; }

    public long LastIndex { get; private set; }

    public bool IsEmpty => LastIndex < FirstIndex;

    public void Reuse(int sequence)
    {
        Sequence = sequence;
        LastBatch = 0;
        FirstIndex = 1;
        LastIndex = 0;
    }

    public void Add(long index)
    {
        if (IsEmpty)
            FirstIndex = index;
        LastIndex = index;
    }

    public void Truncate(long index) => LastIndex = Math.Min(LastIndex, index - 1);

    public void Dispose() => Memory.Dispose();
}
