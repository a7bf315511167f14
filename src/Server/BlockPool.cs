using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace RaftFast.Server;

/// <summary>
/// What a transport reads into and writes from: blocks of one size, used again for ever. The transport receives as much at a time as a
/// block takes, 4 KiB if left alone; and what the shared array pool, which it would take those from, doesn't keep is allocated anew.
/// </summary>
internal sealed class BlockPool(int blockBytes) : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private readonly ConcurrentQueue<Block> free = new();

    public override int MaxBufferSize => blockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, blockBytes);
        return free.TryDequeue(out Block? block) ? block : new Block(this, blockBytes);
    }

    /// <summary>All of a transport's connections share the one.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(BlockPool pool, int bytes) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);

        public void Dispose() => pool.free.Enqueue(this);
    }
}
