using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Memory for batches. Written bytes stay unchanged until the buffer is reused, because the writer thread may be
/// reading them.
/// </summary>
internal sealed class WalBuffer(int bytes) : IDisposable
{
    public AlignedMemory Memory { get; } = new(bytes);

    /// <summary>Number of the buffer's current use, consecutive over all buffers in the order of use.</summary>
    public int Sequence { get; private set; }

    /// <summary>Number of the last batch with records in this buffer; 0 if there is none.</summary>
    public long LastBatch { get; set; }

    /// <summary>
    /// Index of the first log entry in this buffer. <see cref="LastIndex"/> is smaller if the buffer has no entry, or
    /// all are truncated.
    /// </summary>
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
