using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// The store as it was at one index, while its owner goes on writing. <see cref="Read"/> is for one other thread at a time; the
/// owner's thread disposes it, once the reader is done.
/// </summary>
/// <remarks>
/// Why a reader needs no lock. It goes through the slots of the slabs that were there at the beginning, and takes those whose index is
/// from 1 to <see cref="AppliedIndex"/>. Handing the view over made all earlier writes visible to it. Since then, and until it is
/// disposed, the owner:
/// <list type="bullet">
/// <item>writes to no slot whose index is in that range, and frees none: an overwrite takes a new slot, and the old one is freed
/// after the view;</item>
/// <item>gives other slots no index but 0 and ones above that range, with single aligned stores. So whatever the reader sees in a slot's
/// index, now or late, tells it right, and if it tells it to take the entry, nobody writes there;</item>
/// <item>cuts no slab anew, frees no memory, and adds slabs only in front of those the view began with.</item>
/// </list>
/// A slot that has never been used may hold anything. The owner sets its index to 0 before it counts the slot as carved, and the
/// reader reads the count before the index, both with volatile accesses, so it never looks at such a slot.
/// </remarks>
public sealed unsafe class StoreView : IDisposable
{
    /// <summary>A chunk of this size takes any entry, and many of ordinary size.</summary>
    public const int ChunkBytesMin = SnapshotEntry.BytesMax;

    private readonly KeyValueStore store;
    private Slab* slab;
    private int next;
    private long read;
    private bool isDisposed;

    internal StoreView(KeyValueStore store, Slab* newest)
    {
        this.store = store;
        slab = newest;
        AppliedIndex = store.AppliedIndex;
        Count = store.Count;
    }

    /// <summary>The log's index as of which the view shows the store.</summary>
    public long AppliedIndex { get; }

    /// <summary>Entries in all.</summary>
    public long Count { get; }

    /// <summary>Puts entries not yet read into the chunk, each a <see cref="SnapshotEntry"/>.</summary>
    /// <param name="chunk">At least <see cref="ChunkBytesMin"/> bytes.</param>
    /// <param name="bytesWanted">At which it stops though there may be room for more.</param>
    /// <returns>Bytes written; 0: all has been read.</returns>
    public int Read(Span<byte> chunk, out int entries, int bytesWanted = int.MaxValue)
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(chunk.Length >= ChunkBytesMin);
        int written = 0;
        entries = 0;
        for (; slab is not null; slab = slab->Older, next = 0)
        {
            int carved = slab->Carved;
            for (; next < carved; next++)
            {
                Slot slot = Slab.At(slab, next);
                long index = slot.Index;
                if (index < 1 || index > AppliedIndex)
                    continue;
                if (written >= bytesWanted || chunk.Length - written < SnapshotEntry.LengthOf(slot.KeyLength, slot.ValueLength))
                    return written;
                written += new SnapshotEntry(slot.Key, slot.Value, index).Write(chunk[written..]);
                entries++;
                read++;
            }
        }
        Invariant.Hold(read == Count);
        return written;
    }

    /// <summary>Ends the view. On the owner's thread, when nobody reads it any more.</summary>
    public void Dispose()
    {
        if (!isDisposed)
            store.EndView(this);
        isDisposed = true;
    }
}
