using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>Makes the end of the last segment as it was when the segment was made: zeros, to its full size.</summary>
internal static class WalTail
{
    private const int ChunkBytes = 1 << 20;

    /// <param name="offset">Behind the last batch, padding and all.</param>
    /// <param name="end">Behind the last byte that isn't zero.</param>
    public static void Clear(IDiskFile file, int offset, int end, long segmentBytes)
    {
        if (end <= offset && file.Length >= segmentBytes)
            return;
        using AlignedMemory zeros = new(ChunkBytes);
        zeros.Span.Clear();
        Fill(file, offset, AlignedMemory.RoundUp(end), zeros);
        long length = file.Length;
        if (length >= segmentBytes)
            return;
        // The file was cut, perhaps inside a block of the last batch's padding: what is left of that block stays.
        long block = length & -IDisk.Alignment;
        Span<byte> cut = zeros.Span[..IDisk.Alignment];
        file.Read(block, cut);
        file.Write(block, cut);
        cut.Clear();
        Fill(file, block + IDisk.Alignment, segmentBytes, zeros);
    }

    private static void Fill(IDiskFile file, long offset, long end, AlignedMemory zeros)
    {
        while (offset < end)
        {
            int bytes = (int)Math.Min(ChunkBytes, end - offset);
            file.Write(offset, zeros.Span[..bytes]);
            offset += bytes;
        }
    }
}
