using System.Runtime.InteropServices;

namespace RaftFast.Storage.Store;

/// <summary>
/// Slots that the index no longer refers to, but that a view may still read. These slots form a stack in native memory,
/// made of chunks.
/// </summary>
internal sealed unsafe class DeferredSlots : IDisposable
{
    /// <summary>Slots in a chunk, which takes 32 KiB with its header.</summary>
    private const int ChunkSlots = 4094;

    private Chunk* top;
    private int chunks;

    public bool IsEmpty => top is null;

    public long Bytes => (long)chunks * sizeof(Chunk);

    public void Push(Slot slot)
    {
        if (top is null || top->Count == ChunkSlots)
        {
            Chunk* chunk = (Chunk*)NativeMemory.Alloc((nuint)sizeof(Chunk));
            chunk->Below = top;
            chunk->Count = 0;
            top = chunk;
            chunks++;
        }
        top->Slots[top->Count++] = (long)slot.Address;
    }

    public Slot Pop()
    {
        Slot slot = new((byte*)top->Slots[--top->Count]);
        if (top->Count == 0)
            DropTop();
        return slot;
    }

    public void Dispose()
    {
        while (top is not null)
            DropTop();
    }

    private void DropTop()
    {
        Chunk* chunk = top;
        top = chunk->Below;
        chunks--;
        NativeMemory.Free(chunk);
    }

    private struct Chunk
    {
        public Chunk* Below;
        public int Count;
        public fixed long Slots[ChunkSlots];
    }
}
