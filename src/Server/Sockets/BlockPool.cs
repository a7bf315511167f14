using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Server.Sockets;

/// <summary>
/// Blocks of one size that a transport reads into and writes from, and that are used again. The transport receives one
/// block at a time. Without this pool the transport's blocks would be 4 KiB of the shared array pool, which keeps few
/// and allocates the others.
/// </summary>
internal sealed class BlockPool(int blockBytes) : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>Bytes of free blocks that the pool keeps; further blocks go to the garbage collector.</summary>
    private const long FreeBytesMax = 8 << 20;

    private readonly ConcurrentQueue<Block> free = new();
    private long freeBytes;

    public override int MaxBufferSize => blockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, blockBytes);
        if (!free.TryDequeue(out Block? block))
            return new Block(this, blockBytes);
        Interlocked.Add(ref freeBytes, -blockBytes);
        block.IsRented = true;
        return block;
    }

    /// <summary>Returns this pool: all connections of a transport share it.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    private void Return(Block block)
    {
        Invariant.Hold(block.IsRented);
        block.IsRented = false;
        if (Interlocked.Add(ref freeBytes, blockBytes) <= FreeBytesMax)
            free.Enqueue(block);
        else
            Interlocked.Add(ref freeBytes, -blockBytes);
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(BlockPool pool, int bytes) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

        public bool IsRented { get; set; } = true;

        public void Dispose() => pool.Return(this);
    }
}
