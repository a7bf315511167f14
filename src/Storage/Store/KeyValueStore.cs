using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// The state machine: keys and values, as of one index of the log. One thread, but for the reader of a <see cref="StoreView"/>.
/// All entries and the index over them are in native memory: to the garbage collector a store of any size is a few objects.
/// </summary>
public sealed unsafe class KeyValueStore : IDisposable
{
    /// <summary>
    /// Slots freed with each entry applied after a view: an eighth as many entries as were applied under the view, and all are free.
    /// Each costs two cache misses.
    /// </summary>
    private const int FreedWithEntry = 8;

    /// <summary>Entries of a snapshot whose places in the index are looked for at once: more than a processor has misses under way.</summary>
    private const int LoadedAtOnce = 32;

    private readonly SlabMemory memory = new();
    private readonly SlotAllocator slots;
    private readonly KeyIndex index;
    private readonly DeferredSlots deferred = new();

    private StoreView? view;

    /// <summary>Entries up to this index are what the view shows: none is written to or freed. 0: there is no view.</summary>
    private long viewedIndex;

    /// <summary>The greatest index of an entry of the snapshot that this store began with.</summary>
    private long lastLoaded;

    private bool isDisposed;

    /// <param name="entries">So many are likely to come.</param>
    public KeyValueStore(long entries = 0)
    {
        memory.IsBulkLoading = entries > 0;
        slots = new SlotAllocator(memory);
        index = new KeyIndex(memory, SipHash.OfProcess, entries);
    }

    public long AppliedIndex { get; private set; }

    public long Count { get; private set; }

    /// <summary>Native memory in use or kept for use.</summary>
    public long MemoryBytes => memory.Bytes + slots.LargeBytes + index.DirectoryBytes + deferred.Bytes;

    /// <summary>Whether there is no view, and what the last one held back has been freed, some with each entry applied since.</summary>
    public bool CanBeginView => view is null && deferred.IsEmpty;

    /// <summary>Entries of the index that growth has moved.</summary>
    internal long Rehashed => index.Rehashed;

    /// <summary>Applies the entry after <see cref="AppliedIndex"/>. Allocates nothing on the managed heap.</summary>
    /// <param name="record">A verified log entry; copied.</param>
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

    /// <param name="value">Valid until the next write.</param>
    /// <param name="index">Of the key's last write.</param>
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out long index)
    {
        Invariant.Hold(!isDisposed);
        Slot slot = this.index.Find(this.index.HashOf(key), key);
        value = slot.IsNone ? default : slot.Value;
        index = slot.IsNone ? 0 : slot.Index;
        return !slot.IsNone;
    }

    /// <returns>Whether the key was there.</returns>
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

    /// <summary>Puts entries of a snapshot into a store to which nothing has been applied yet. No key may come twice.</summary>
    /// <param name="entries">One <see cref="SnapshotEntry"/> after the other.</param>
    /// <returns>False when this is something else.</returns>
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

    /// <summary>All entries of a snapshot have been restored: the store is as it was at <paramref name="appliedIndex"/>.</summary>
    public void LoadedTo(long appliedIndex)
    {
        Invariant.Hold(AppliedIndex == 0);
        Invariant.Hold(appliedIndex >= lastLoaded);
        AppliedIndex = appliedIndex;
        memory.IsBulkLoading = false;
    }

    /// <summary>A view of the store as it is now. One at a time: see <see cref="CanBeginView"/>.</summary>
    public StoreView BeginView()
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(CanBeginView);
        view = new StoreView(this, slots.Newest);
        viewedIndex = AppliedIndex;
        slots.IsViewed = true;
        return view;
    }

    /// <summary>Frees all memory. Nobody may read a view any more.</summary>
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

    /// <summary>Whether an entry of these lengths is of the slot's size class.</summary>
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

    /// <summary>Frees a slot that the index doesn't lead to any more; one that the view shows, later.</summary>
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
