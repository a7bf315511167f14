using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Server.Sockets;

/// <summary>
/// What a transport reads into and writes from: blocks of one size, used again. The transport receives as much at a time as a
/// block takes, 4 KiB if left alone; and what the shared array pool, which it would take those from, doesn't keep is allocated anew.
/// </summary>
internal sealed class BlockPool(int blockBytes) : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const long FreeBytesMax = 64 << 20;

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

    /// <summary>All of a transport's connections share the one.</summary>
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
