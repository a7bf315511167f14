using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Reads log entries from the disk on the thread that asks for them, in the order of the log. Loop thread only.
/// </summary>
internal sealed class WalReader(IDisk disk, WalExtents extents, int recordBytesMax) : IDisposable
{
    private readonly WalRead read = new(disk, recordBytesMax);

    /// <summary>Index after the last entry that was read and is still in the log.</summary>
    private long end;

    /// <summary>Index at which the last call ended. The next call usually begins there.</summary>
    private long nextIndex;
    private int nextOffset;

    public long MemoryBytes => read.MemoryBytes;

    public ReadOnlySpan<byte> Read(long first, long last, int bytesMax, out int count)
    {
        if (first < read.First || first >= end)
            Fill(first);
        if (first < nextIndex)
            (nextIndex, nextOffset) = (read.First, 0);
        for (; nextIndex < first; nextIndex++)
            nextOffset += LengthAt(nextOffset);
        int start = nextOffset;
        last = Math.Min(last, end - 1);
        for (count = 0; nextIndex <= last; count++, nextIndex++)
        {
            int record = LengthAt(nextOffset);
            if (count > 0 && nextOffset + record - start > bytesMax)
                break;
            nextOffset += record;
        }
        return read.Records[start..nextOffset];
    }

    public void Truncate(long index) => end = Math.Min(end, index);

    public void Dispose() => read.Dispose();

    private void Fill(long first)
    {
        end = 0;
        read.Begin(extents.Find(first), first, recordBytesMax, before: read);
        while (read.Step())
        {
        }
        if (read.Failure is { } failure)
            throw failure;
        end = first + read.Count;
        (nextIndex, nextOffset) = (first, 0);
    }

    private int LengthAt(int offset) =>
        Record.LengthOf(BinaryPrimitives.ReadInt32LittleEndian(read.Records[(offset + 4)..]));
}
