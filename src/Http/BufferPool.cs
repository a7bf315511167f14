using System.Numerics;
using System.Runtime.InteropServices;

namespace RaftFast.Http;

/// <summary>
/// Buffers of native memory for requests and answers, in size classes of whole pages. At most a quarter of a buffer of
/// more than four pages is unused. Buffers are never unmapped: the pool gives the pages of a free buffer back to the
/// system, at once and without a garbage collection.
/// </summary>
internal sealed unsafe partial class BufferPool
{
    private const int ChunkBytes = 4 << 20;
    private const int AdviceGiveBack = 4; // MADV_DONTNEED
    private const int AdviceSmallPages = 15; // MADV_NOHUGEPAGE

    private static readonly int PageBytes = Math.Max(4096, Environment.SystemPageSize);

    private readonly SizeClass[] classes = new SizeClass[ClassOf(ClientRequest.BytesMax) + 1];
    private long freeBytes;

    public BufferPool()
    {
        for (int i = 0; i < classes.Length; i++)
            classes[i] = new SizeClass(this, BytesOf(i));
    }

    /// <summary>Bytes of the free buffers that still have their pages.</summary>
    public long FreeBytes => Volatile.Read(ref freeBytes);

    /// <summary>Returns the size of the buffer that <see cref="Rent"/> gives for this number of bytes.</summary>
    public static int SizeFor(int bytes) => BytesOf(ClassOf(bytes));

    /// <summary>Takes a buffer, whose contents are undefined. The system fills in the buffer's pages when they are
    /// touched.
    /// </summary>
    public PooledBuffer Rent(int bytes) => classes[ClassOf(bytes)].Rent();

    public void Return(PooledBuffer buffer) => classes[ClassOf(buffer.Length)].Return(buffer.Address);

    /// <summary>Gives back the pages of each buffer that was free at every moment since the last call.</summary>
    public void Trim()
    {
        foreach (SizeClass size in classes)
            size.Trim();
    }

    /// <summary>Gives back the pages of free buffers, the largest first.</summary>
    /// <param name="bytes">Bytes wanted.</param>
    /// <returns>Bytes given back; fewer than wanted if no buffer is free any more.</returns>
    public long GiveBack(long bytes)
    {
        long given = 0;
        for (int i = classes.Length - 1; i >= 0 && given < bytes; i--)
            given += classes[i].GiveBack(bytes - given);
        return given;
    }

    /// <summary>Classes have 1, 2, 3, 4 pages; 5, 6, 7, 8; 10, 12, 14, 16; 20, 24, 28, 32; and so on.</summary>
    private static int ClassOf(int bytes)
    {
        int last = Math.Max(bytes - 1, 0) / PageBytes;
        int shift = Math.Max(0, BitOperations.Log2((uint)last) - 2);
        return (4 * shift) + (last >> shift);
    }

    private static int BytesOf(int sizeClass)
    {
        int shift = Math.Max(0, (sizeClass / 4) - 1);
        return ((sizeClass - (4 * shift) + 1) << shift) * PageBytes;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);

    private sealed class SizeClass(BufferPool pool, int bytes)
    {
        private readonly Lock entry = new();
        private readonly List<nint> chunks = [];

        /// <summary>Free buffers that have their pages.</summary>
        private readonly Stack<nint> free = new();

        /// <summary>Free buffers without pages.</summary>
        private readonly Stack<nint> empty = new();

        /// <summary>Smallest size of <see cref="free"/> since the last trim.</summary>
        private int leastFree;

        ~SizeClass()
        {
            // At finalization, no request refers to a buffer any more.
            foreach (nint chunk in chunks)
                NativeMemory.AlignedFree((void*)chunk);
        }

        public PooledBuffer Rent()
        {
            lock (entry)
            {
                if (free.TryPop(out nint address))
                {
                    leastFree = Math.Min(leastFree, free.Count);
                    Interlocked.Add(ref pool.freeBytes, -bytes);
                    return new PooledBuffer(address, bytes);
                }
                if (empty.Count == 0)
                    AddChunk();
                return new PooledBuffer(empty.Pop(), bytes);
            }
        }

        public void Return(nint address)
        {
            lock (entry)
            {
                free.Push(address);
                Interlocked.Add(ref pool.freeBytes, bytes);
            }
        }

        public void Trim()
        {
            lock (entry)
            {
                GiveBack(leastFree);
                leastFree = free.Count;
            }
        }

        public long GiveBack(long wanted)
        {
            lock (entry)
            {
                int count = (int)Math.Min(free.Count, (wanted + bytes - 1) / bytes);
                GiveBack(count);
                leastFree = Math.Min(leastFree, free.Count);
                return (long)count * bytes;
            }
        }

        private void GiveBack(int count)
        {
            for (int i = 0; i < count; i++)
            {
                nint address = free.Pop();
                if (OperatingSystem.IsLinux())
                    _ = Advise((void*)address, (nuint)bytes, AdviceGiveBack);
                empty.Push(address);
            }
            Interlocked.Add(ref pool.freeBytes, -(long)count * bytes);
        }

        private void AddChunk()
        {
            int count = ChunkBytes / bytes;
            nuint chunkBytes = (nuint)count * (nuint)bytes;
            nint chunk = (nint)NativeMemory.AlignedAlloc(chunkBytes, (nuint)PageBytes);
            // A huge page would fill in the pages of unused buffers.
            if (OperatingSystem.IsLinux())
                _ = Advise((void*)chunk, chunkBytes, AdviceSmallPages);
            chunks.Add(chunk);
            for (int i = count - 1; i >= 0; i--)
                empty.Push(chunk + (i * bytes));
        }
    }
}

/// <summary>Buffer of a <see cref="BufferPool"/>, or none.</summary>
internal readonly unsafe record struct PooledBuffer(nint Address, int Length)
{
    public Span<byte> Span => new((void*)Address, Length);
}
