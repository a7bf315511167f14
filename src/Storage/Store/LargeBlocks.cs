using System.Runtime.InteropServices;

namespace RaftFast.Storage.Store;

/// <summary>
/// Native memory for entries too large for a slab, one block for each. Two words before each block link all blocks in a
/// list, so that the store can free them when it is disposed.
/// </summary>
internal sealed unsafe class LargeBlocks : IDisposable
{
    private Link* first;

    public long Bytes { get; private set; }

    public byte* Allocate(int bytes)
    {
        Link* link = (Link*)NativeMemory.Alloc((nuint)(sizeof(Link) + bytes));
        link->Previous = null;
        link->Next = first;
        if (first is not null)
            first->Previous = link;
        first = link;
        Bytes += sizeof(Link) + bytes;
        return (byte*)(link + 1);
    }

    /// <param name="bytes">Size that was given to <see cref="Allocate"/>.</param>
    public void Free(byte* block, int bytes)
    {
        Link* link = (Link*)block - 1;
        if (link->Previous is null)
            first = link->Next;
        else
            link->Previous->Next = link->Next;
        if (link->Next is not null)
            link->Next->Previous = link->Previous;
        Bytes -= sizeof(Link) + bytes;
        NativeMemory.Free(link);
    }

    public void Dispose()
    {
        while (first is not null)
        {
            Link* link = first;
            first = link->Next;
            NativeMemory.Free(link);
        }
    }

    private struct Link
    {
        public Link* Previous;
        public Link* Next;
    }
}
