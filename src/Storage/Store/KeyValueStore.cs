using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// The state machine: keys and values at one index of the log. One thread uses the store; another may read a
/// <see cref="StoreView"/>. All entries and their index are in native memory: a store of any size is a few objects to
/// the garbage collector.
/// </summary>
public sealed unsafe class KeyValueStore : IDisposable
{
    /// <summary>
    /// Deferred slots freed with each entry applied after a view ends. If N entries were applied during a view, the
    /// next N/8 entries free all slots that the view deferred. Freeing a slot costs two cache misses.
    /// </summary>
    private const int FreedWithEntry = 8;

    /// <summary>
    /// Snapshot entries whose places in the index are fetched together: more than the cache misses that a processor has
    /// in flight.
    /// </summary>
    private const int LoadedAtOnce = 32;

    private readonly SlabMemory memory = new();
    private readonly SlotAllocator slots;
    private readonly KeyIndex index;
    private readonly DeferredSlots deferred = new();

    private StoreView? view;

    /// <summary>
    /// Last index that the view shows; 0 without a view. Entries up to this index are neither overwritten nor freed.
    /// </summary>
    private long viewedIndex;

    /// <summary>Greatest index of an entry in the snapshot that was loaded into this store.</summary>
    private long lastLoaded;

    private volatile bool isDisposed;

    /// <param name="expectedEntries">Number of entries in the snapshot to be loaded; 0 if there is none, or if
    /// the number is unknown.</param>
    public KeyValueStore(long expectedEntries = 0)
    {
        memory.IsBulkLoading = expectedEntries > 0;
        slots = new SlotAllocator(memory);
        index = new KeyIndex(memory, SipHash.OfProcess, expectedEntries);
    }

    public long AppliedIndex { get; private set; }

    public long Count { get; private set; }

    /// <summary>Native memory, in use or kept for later use.</summary>
    public long MemoryBytes => memory.Bytes + slots.LargeBytes + index.DirectoryBytes + deferred.Bytes;

    /// <summary>Bytes of the entries and of their places in the index: the memory that the state needs.</summary>
    public long StateBytes => slots.SlotBytes + slots.LargeBytes + (Count * KeyIndex.BytesPerEntry);

    /// <summary>
    /// True if there is no view and no deferred slot is left. Each applied entry frees some deferred slots.
    /// </summary>
    public bool CanBeginView => view is null && deferred.IsEmpty;

    /// <inheritdoc cref="KeyIndex.Rehashed"/>
    internal long Rehashed => index.Rehashed;

    /// <summary>Applies the entry after <see cref="AppliedIndex"/>. Allocates nothing on the managed heap.</summary>
    /// <param name="record">Verified record of the entry. The store copies key and value.</param>
    public void Apply(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(header.Position.Index == AppliedIndex + 1);
        Invariant.Hold(lastLoaded <= AppliedIndex);
        Invariant.Hold(header.Type != RecordType.HardState);
        AppliedIndex = header.Position.Index;
        FreeDeferred();
        if (header.Type != RecordType.Command)
            return;
        DecodeStatus status = PutCommand.TryRead(Record.Payload(record, header), out PutCommand put);
        Invariant.Hold(status == DecodeStatus.Complete);
        Put(put.Key, put.Value, AppliedIndex);
    }

    /// <param name="value">The key's value, valid until the next write.</param>
    /// <param name="index">Index of the key's last write.</param>
    /// <returns>False if the store doesn't hold the key.</returns>
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out long index)
    {
        Invariant.Hold(!isDisposed);
        Slot slot = this.index.Find(this.index.HashOf(key), key);
        value = slot.IsNone ? default : slot.Value;
        index = slot.IsNone ? 0 : slot.Index;
        return !slot.IsNone;
    }

    /// <returns>False if the store doesn't hold the key.</returns>
    public bool Delete(ReadOnlySpan<byte> key)
    {
        Invariant.Hold(!isDisposed);
        FreeDeferred();
        ulong hash = index.HashOf(key);
        Slot slot = index.Find(hash, key);
        if (slot.IsNone)
            return false;
        index.Remove(hash, key);
        Count--;
        Release(slot);
        return true;
    }

    /// <summary>
    /// Loads entries of a snapshot into a store to which nothing has been applied yet. No key may come twice.
    /// </summary>
    /// <param name="entries">Encodings of consecutive entries, each a <see cref="SnapshotEntry"/>.</param>
    /// <returns>False if the bytes are not entries of a snapshot.</returns>
    public bool TryLoad(ReadOnlySpan<byte> entries)
    {
        Span<ulong> hashes = stackalloc ulong[LoadedAtOnce];
        while (!entries.IsEmpty)
        {
            int count = 0;
            for (ReadOnlySpan<byte> ahead = entries; count < LoadedAtOnce && !ahead.IsEmpty; count++)
            {
                if (SnapshotEntry.TryRead(ahead, out SnapshotEntry entry, out int length) != DecodeStatus.Complete)
                    return false;
                hashes[count] = index.HashOf(entry.Key);
                ahead = ahead[length..];
            }
            index.Touch(hashes[..count]);
            foreach (ulong hash in hashes[..count])
            {
                SnapshotEntry.TryRead(entries, out SnapshotEntry entry, out int length);
                Load(hash, entry);
                entries = entries[length..];
            }
        }
        return true;
    }

    /// <summary>Completes loading a snapshot: the store now has the state at <paramref name="appliedIndex"/>.</summary>
    public void LoadedTo(long appliedIndex)
    {
        Invariant.Hold(AppliedIndex == 0);
        Invariant.Hold(appliedIndex >= lastLoaded);
        AppliedIndex = appliedIndex;
        memory.IsBulkLoading = false;
    }

    /// <summary>
    /// Begins a view of the store as it is now, if <see cref="CanBeginView"/>. There is at most one view.
    /// </summary>
    public StoreView BeginView()
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(CanBeginView);
        view = new StoreView(this, slots.Newest);
        viewedIndex = AppliedIndex;
        slots.IsViewed = true;
        return view;
    }

    /// <summary>True once the memory is freed, or about to be. Any thread.</summary>
    public bool IsDisposed => isDisposed;

    /// <summary>Frees all memory. No thread may be reading a view.</summary>
    public void Dispose()
    {
        if (isDisposed)
            return;
        view?.Dispose();
        isDisposed = true;
        deferred.Dispose();
        index.Dispose();
        slots.Dispose();
        memory.Dispose();
    }

    internal void EndView(StoreView ended)
    {
        Invariant.Hold(ended == view);
        view = null;
        viewedIndex = 0;
        slots.IsViewed = false;
    }

    private void Load(ulong hash, in SnapshotEntry entry)
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(AppliedIndex == 0);
        Invariant.Hold(entry.Index > 0);
        Invariant.Hold(index.Find(hash, entry.Key).IsNone);
        index.Add(hash, NewSlot(entry.Key, entry.Value, entry.Index));
        Count++;
        lastLoaded = Math.Max(lastLoaded, entry.Index);
    }

    private void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long writtenAt)
    {
        ulong hash = index.HashOf(key);
        Slot existing = index.Find(hash, key);
        if (existing.IsNone)
        {
            index.Add(hash, NewSlot(key, value, writtenAt));
            Count++;
        }
        else if (existing.Index > viewedIndex && HasRoom(existing, key.Length, value.Length))
        {
            existing.SetLengths(key.Length, value.Length);
            existing.SetValue(value);
            existing.Index = writtenAt;
        }
        else
        {
            index.Replace(hash, key, NewSlot(key, value, writtenAt));
            Release(existing);
        }
    }

    /// <summary>True if an entry of these lengths is of the slot's size class.</summary>
    private static bool HasRoom(Slot slot, int keyLength, int valueLength) =>
        SizeClasses.Of(Slot.HeaderSize + keyLength + valueLength) == SizeClasses.Of(slot.EntryBytes);

    private Slot NewSlot(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long writtenAt)
    {
        Slot slot = slots.Allocate(key.Length, value.Length);
        slot.SetKey(key);
        slot.SetValue(value);
        slot.Index = writtenAt;
        return slot;
    }

    /// <summary>
    /// Frees a slot that the index no longer refers to. If the view shows the slot, freeing is deferred.
    /// </summary>
    private void Release(Slot slot)
    {
        if (slot.Index <= viewedIndex)
            deferred.Push(slot);
        else
            slots.Free(slot);
    }

    private void FreeDeferred()
    {
        for (int i = 0; i < FreedWithEntry && view is null && !deferred.IsEmpty; i++)
            slots.Free(deferred.Pop());
    }
}
