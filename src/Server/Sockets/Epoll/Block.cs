using System.Buffers;
using System.Runtime.InteropServices;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>Pinned bytes of a socket's input or output, in a chain of blocks.</summary>
internal sealed unsafe class Block : ReadOnlySequenceSegment<byte>
{
    private readonly byte[] bytes;
    private int end;

    public Block(int length)
    {
        bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        Start = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0);
    }

    public byte* Start { get; }

    public int Length => bytes.Length;

    public int Room => bytes.Length - end;

    /// <summary>Number of bytes that have been written to this block.</summary>
    public int End => end;

    public Block? NextBlock => (Block?)Next;

    public Memory<byte> Rest => bytes.AsMemory(end);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Room, nameof(count));
        end += count;
        Memory = bytes.AsMemory(0, end);
    }

    /// <summary>Puts a block after this block. No bytes are added to this block from then on.</summary>
    public void Append(Block next)
    {
        next.RunningIndex = RunningIndex + end;
        Next = next;
    }

    /// <summary>Empties the block and takes it out of its chain.</summary>
    public void Clear()
    {
        end = 0;
        Memory = default;
        Next = null;
        RunningIndex = 0;
    }
}

/// <summary>Blocks of one size that are used again.</summary>
internal sealed class BlockStack(int blockBytes)
{
    /// <summary>Bytes of free blocks that are kept; further blocks go to the garbage collector.</summary>
    private const long FreeBytesMax = 8 << 20;

    private readonly Lock entry = new();
    private readonly Stack<Block> free = new();
    private readonly int freeMax = (int)(FreeBytesMax / blockBytes);

    /// <summary>A free block that is given and taken without the lock: mostly the block returned last.</summary>
    private Block? spare;

    /// <param name="bytesMin">Minimum bytes of the block.</param>
    public Block Rent(int bytesMin = 0)
    {
        if (bytesMin > blockBytes)
            return new Block(bytesMin);
        if (Interlocked.Exchange(ref spare, null) is { } taken)
            return taken;
        lock (entry)
        {
            if (free.TryPop(out Block? block))
                return block;
        }
        return new Block(blockBytes);
    }

    public void Return(Block block)
    {
        block.Clear();
        if (block.Length != blockBytes || Interlocked.CompareExchange(ref spare, block, null) is null)
            return;
        lock (entry)
        {
            if (free.Count < freeMax)
                free.Push(block);
        }
    }
}
