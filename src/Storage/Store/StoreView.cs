using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// The store as it was at one index, while the owner continues to write. One other thread at a time may call
/// <see cref="Read"/>. The owner's thread disposes the view after the last read.
/// </summary>
/// <remarks>
/// A reader needs no lock, for these reasons. The reader goes through the slabs that existed when the view began, and
/// takes the slots with an index from 1 to <see cref="AppliedIndex"/>. The owner hands the view to the reader, which
/// makes all earlier writes visible to the reader. Until the view is disposed, the owner:
/// <list type="bullet">
/// <item>does not write to or free a slot whose index is in that range: an overwrite takes a new slot, and the old slot
/// is freed after the view. Only the slot's place in the order of times may change, and the reader does not read the
/// place;</item>
/// <item>gives other slots only the index 0 or an index above that range, with single aligned stores. So any index that
/// the reader sees, current or old, leads to the right decision; and the owner never writes to a slot that the reader
/// takes;</item>
/// <item>cuts no slab into other sizes, frees no memory, and adds slabs only before those with which the view
/// began.</item>
/// </list>
/// A slot that has never been used may hold anything. The owner sets the slot's index to 0 before it counts the slot as
/// carved. The reader reads the count before the index. The accesses to count and index are volatile, so the reader
/// never looks at an unused slot.
/// </remarks>
public sealed unsafe class StoreView : IDisposable
{
    /// <summary>Minimum length of a chunk: the size of the largest entry.</summary>
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
        Count = store.Entries;
        Version = store.Version;
    }

    /// <summary>Index of the log at which the view shows the store.</summary>
    public long AppliedIndex { get; }

    /// <summary>Number of entries in the view.</summary>
    public long Count { get; }

    /// <inheritdoc cref="KeyValueStore.Version"/>
    public int Version { get; }

    /// <summary>Writes entries that were not read yet into the chunk, each as a <see cref="SnapshotEntry"/>.</summary>
    /// <param name="chunk">Buffer of at least <see cref="ChunkBytesMin"/> bytes.</param>
    /// <param name="bytesWanted">Bytes after which the chunk is complete, even if there is room for more.</param>
    /// <returns>Bytes written; 0 after the last entry.</returns>
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
                bool hasTime = slot.HasTime;
                int length = SnapshotEntry.LengthOf(slot.KeyLength, slot.ValueLength, hasTime);
                if (written >= bytesWanted || chunk.Length - written < length)
                    return written;
                SnapshotEntry entry = new(slot.Key, slot.Value, index, hasTime ? slot.Time : null);
                written += entry.Write(chunk[written..]);
                entries++;
                read++;
            }
        }
        Invariant.Hold(read == Count);
        return written;
    }

    /// <summary>Ends the view; called on the owner's thread, after the last read.</summary>
    public void Dispose()
    {
        if (!isDisposed)
            store.EndView(this);
        isDisposed = true;
    }
}
