using System.Numerics;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Buffers for requests and answers beyond <see cref="BytesMin"/>, in sizes that are powers of two. Under load every
/// buffer that comes back is kept; after the load, <see cref="Trim"/> drops the buffers that nobody needed.
/// </summary>
internal sealed class BufferPool
{
    public const int BytesMin = 2048;

    private const int BytesMax = 2 * PutCommand.ValueBytesMax;

    private readonly SizeClass[] classes = new SizeClass[BitOperations.Log2(BytesMax / BytesMin) + 1];

    public BufferPool()
    {
        for (int i = 0; i < classes.Length; i++)
            classes[i] = new SizeClass(BytesMin << i);
    }

    public byte[] Rent(int bytes) => classes[ClassOf(bytes)].Rent();

    public void Return(byte[] buffer) => classes[ClassOf(buffer.Length)].Return(buffer);

    /// <summary>Drops each buffer that was free at every moment since the last call.</summary>
    /// <returns>Bytes dropped.</returns>
    public long Trim()
    {
        long dropped = 0;
        foreach (SizeClass size in classes)
            dropped += size.Trim();
        return dropped;
    }

    private static int ClassOf(int bytes) =>
        BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, BytesMin)) / BytesMin);

    private sealed class SizeClass(int bytes)
    {
        private readonly Lock entry = new();
        private readonly Stack<byte[]> free = new();

        /// <summary>Least number of free buffers since the last trim.</summary>
        private int leastFree;

        public byte[] Rent()
        {
            lock (entry)
            {
                if (free.TryPop(out byte[]? buffer))
                {
                    leastFree = Math.Min(leastFree, free.Count);
                    return buffer;
                }
            }
            return GC.AllocateUninitializedArray<byte>(bytes);
        }

        public void Return(byte[] buffer)
        {
            lock (entry)
                free.Push(buffer);
        }

        public long Trim()
        {
            lock (entry)
            {
                int count = leastFree;
                for (int i = 0; i < count; i++)
                    free.Pop();
                leastFree = free.Count;
                return (long)count * bytes;
            }
        }
    }
}
