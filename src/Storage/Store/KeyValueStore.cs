using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// The state machine: keys and values at one index of the log, and under <see cref="StateKeys"/> the rest of the state.
/// One thread uses the store; another may read a <see cref="StoreView"/>. All entries and their index are in native
/// memory: a store of any size is a few objects to the garbage collector.
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

    /// <summary>Maximum keys that one call of <see cref="VisitExpired"/> visits.</summary>
    private const int ExpiredAtOnce = 1024;

    private readonly SlabMemory memory = new();
    private readonly SlotAllocator slots;
    private readonly KeyIndex index;
    private readonly KeyOrder order;
    private readonly OrderLoader loading;
    private readonly DeferredSlots deferred = new();
    private readonly TimedSlots expiring = new();
    private readonly TimedSlots outcomes = new();

    private StoreView? view;

    private StateDigest digest;

    /// <summary>True once the store has an entry for the log time, which a view needs.</summary>
    private bool hasClockEntry;

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
        PageMemory pages = new(memory);
        index = new KeyIndex(pages, SipHash.OfProcess, expectedEntries);
        order = new KeyOrder(pages);
        loading = new OrderLoader(order);
    }

    public long AppliedIndex { get; private set; }

    /// <summary>Receives each change of a client's key; null if changes are not recorded.</summary>
    public ChangeHistory? History { get; set; }

    /// <summary>Number of clients' keys.</summary>
    public long Count => Entries - outcomes.Count - (hasClockEntry ? 1 : 0);

    /// <summary>Number of entries, those under <see cref="StateKeys"/> included.</summary>
    public long Entries { get; private set; }

    /// <summary>
    /// Milliseconds that leaders' clocks have measured, as the applied entries tell. Never decreases.
    /// </summary>
    public long LogTime { get; private set; }

    /// <summary>
    /// Lowest <see cref="KeyCommand.Version"/> of a program that knows every command applied so far. If this is 2 or
    /// more, the log time is part of the state.
    /// </summary>
    public int Version { get; private set; } = 1;

    /// <summary>
    /// Digest of the state at <see cref="AppliedIndex"/>: of keys, values, tags, times, outcomes and the log time.
    /// </summary>
    public UInt128 Digest => digest.At(AppliedIndex, LogTime);

    /// <summary>Log time at which the next key expires; MaxValue if none does.</summary>
    public long NextExpiry => expiring.Earliest;

    /// <summary>Log time of the oldest outcome of a request with an idempotency key; MaxValue without one.</summary>
    public long OldestOutcome => outcomes.Earliest;

    /// <summary>Memory of the outcomes, as <see cref="Outcome.MemoryBytes"/> counts.</summary>
    public long OutcomeBytes { get; private set; }

    /// <summary>Native memory, in use or kept for later use.</summary>
    public long MemoryBytes => memory.Bytes + slots.LargeBytes + index.DirectoryBytes + deferred.Bytes
        + expiring.Bytes + outcomes.Bytes;

    /// <summary>Bytes of the entries and of their places in the indexes: the memory that the state needs.</summary>
    public long StateBytes => slots.SlotBytes + slots.LargeBytes + (Entries * KeyIndex.BytesPerEntry) + order.Bytes;

    /// <summary>Memory of the order of keys, without free pages.</summary>
    public long OrderBytes => order.Bytes;

    /// <summary>
    /// True if there is no view and no deferred slot is left. Each applied entry frees some deferred slots.
    /// </summary>
    public bool CanBeginView => view is null && deferred.IsEmpty;

    /// <summary>Clients' keys in order. Incomplete while a snapshot is loaded.</summary>
    internal KeyOrder Order => order;

    /// <inheritdoc cref="KeyIndex.Rehashed"/>
    internal long Rehashed => index.Rehashed;

    /// <summary>Applies the entry after <see cref="AppliedIndex"/>. Allocates nothing on the managed heap.</summary>
    /// <param name="record">Verified record of the entry. The store copies key and value.</param>
    /// <returns>The outcome. An entry that is no command changes no key.</returns>
    public ApplyResult Apply(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(header.Position.Index == AppliedIndex + 1);
        Invariant.Hold(lastLoaded <= AppliedIndex);
        Invariant.Hold(header.Type != RecordType.HardState);
        AppliedIndex = header.Position.Index;
        FreeDeferred();
        if (header.Type != RecordType.Command)
            return default;
        ReadOnlySpan<byte> payload = Record.Payload(record, header);
        Version = Math.Max(Version, CommandHead.VersionOf(payload));
        if (CommandHead.IsTransaction(payload))
            return ApplyTransaction(payload);
        DecodeStatus status = KeyCommand.TryRead(payload, out KeyCommand command);
        Invariant.Hold(status == DecodeStatus.Complete);
        if (KeyCommand.IsExtended(payload))
        {
            LogTime = Math.Max(LogTime, command.Time);
            return CommandRules.Apply(this, command);
        }
        Put(command.Key, command.Value, time: null);
        History?.Add(ChangeKind.Put, AppliedIndex, command.Key, command.Value);
        return new ApplyResult(CommandStatus.Done, AppliedIndex, command.Key);
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

    /// <returns>Index of the key's last write; 0 if the store doesn't hold the key.</returns>
    public long TagOf(ReadOnlySpan<byte> key) => TryGet(key, out _, out long tag) ? tag : 0;

    /// <returns>Hash that distinguishes keys as well as the store's own index does.</returns>
    public ulong HashOf(ReadOnlySpan<byte> key) => index.HashOf(key);

    /// <returns>Time of the key's entry; null if the key has none or does not exist.</returns>
    public long? TimeOf(ReadOnlySpan<byte> key)
    {
        Slot slot = index.Find(index.HashOf(key), key);
        return !slot.IsNone && slot.HasTime ? slot.Time : null;
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
        digest.Remove(slot);
        RemoveTime(slot);
        index.Remove(hash, key);
        if (StateKeys.IsClient(slot.Key))
            order.Remove(slot);
        Entries--;
        Release(slot);
        return true;
    }

    /// <summary>Finds the outcome of an earlier request with this idempotency key.</summary>
    /// <param name="token">Empty without an idempotency key.</param>
    /// <returns>False if none is remembered. Otherwise the outcome is the answer to this request, too.</returns>
    internal bool TryRepeat(ReadOnlySpan<byte> token, UInt128 fingerprint, out ApplyResult first)
    {
        first = default;
        Span<byte> buffer = stackalloc byte[StateKeys.OutcomeBytesMax];
        if (token.IsEmpty || !TryGet(StateKeys.OutcomeOf(token, buffer), out ReadOnlySpan<byte> value, out _))
            return false;
        Outcome outcome = Outcome.Read(value);
        CommandResult result = outcome.Fingerprint == fingerprint
            ? outcome.Result with { IsRepeated = true }
            : new CommandResult(CommandStatus.KeyReused, 0);
        first = new ApplyResult(result, default);
        return true;
    }

    /// <summary>Remembers the outcome of a request, if the request has an idempotency key.</summary>
    internal void Remember(ReadOnlySpan<byte> token, UInt128 fingerprint, scoped in ApplyResult result)
    {
        if (token.IsEmpty)
            return;
        Span<byte> buffer = stackalloc byte[StateKeys.OutcomeBytesMax];
        Span<byte> outcome = stackalloc byte[Outcome.Size];
        new Outcome(fingerprint, result.Result).Write(outcome);
        Put(StateKeys.OutcomeOf(token, buffer), outcome, LogTime);
    }

    /// <summary>True if the outcome of a request with this idempotency key is remembered.</summary>
    public bool HasOutcome(ReadOnlySpan<byte> token)
    {
        Span<byte> buffer = stackalloc byte[StateKeys.OutcomeBytesMax];
        return TryGet(StateKeys.OutcomeOf(token, buffer), out _, out _);
    }

    /// <returns>Value of <see cref="OutcomeBytes"/> with <paramref name="more"/> outcomes more.</returns>
    public long OutcomeBytesWith(int more) => OutcomeBytes + (long)more * Outcome.MemoryBytes;

    /// <summary>Visits keys whose time to live has passed, in no order, as many as one call may.</summary>
    /// <param name="now">Log time.</param>
    /// <param name="visit">Must not change the store.</param>
    public void VisitExpired(long now, VisitKey visit)
    {
        Span<Slot> found = stackalloc Slot[ExpiredAtOnce];
        foreach (Slot slot in found[..expiring.Find(now, found)])
        {
            if (!visit(slot.Key, slot.Index))
                return;
        }
    }

    /// <summary>Deletes the oldest outcomes made before <paramref name="time"/>, as many as one entry may.</summary>
    internal void ForgetOutcomes(long time)
    {
        for (int i = 0; i < Outcome.ForgottenAtOnce && outcomes.Earliest < time; i++)
            Delete(outcomes.First.Key);
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
        loading.Complete();
        Invariant.Hold(order.Count == Count);
        memory.IsBulkLoading = false;
    }

    /// <summary>
    /// Begins a view of the store as it is now, if <see cref="CanBeginView"/>. There is at most one view.
    /// </summary>
    public StoreView BeginView()
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(CanBeginView);
        Invariant.Hold(order.Count == Count);
        if (Version > 1)
            PutClock();
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
        loading.Dispose();
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

    internal void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long? time)
    {
        ulong hash = index.HashOf(key);
        Slot existing = index.Find(hash, key);
        if (existing.IsNone)
        {
            Slot added = NewSlot(key, value, AppliedIndex, time);
            index.Add(hash, added);
            if (StateKeys.IsClient(key))
                order.Add(added);
            Entries++;
            return;
        }
        digest.Remove(existing);
        RemoveTime(existing);
        if (existing.Index > viewedIndex && HasRoom(existing, key.Length, value.Length, time is not null))
        {
            existing.SetLengths(key.Length, value.Length, existing.HasTime);
            existing.SetValue(value);
            existing.Index = AppliedIndex;
            AddTime(existing, time);
            digest.Add(existing);
        }
        else
        {
            Slot moved = NewSlot(key, value, AppliedIndex, time);
            index.Replace(hash, key, moved);
            if (StateKeys.IsClient(key))
                order.Replace(existing, moved);
            Release(existing);
        }
    }

    private ApplyResult ApplyTransaction(ReadOnlySpan<byte> payload)
    {
        DecodeStatus status = TransactionCommand.TryRead(payload, out TransactionCommand transaction);
        Invariant.Hold(status == DecodeStatus.Complete);
        LogTime = Math.Max(LogTime, transaction.Time);
        return TransactionRules.Apply(this, transaction);
    }

    private void Load(ulong hash, in SnapshotEntry entry)
    {
        Invariant.Hold(!isDisposed);
        Invariant.Hold(AppliedIndex == 0);
        Invariant.Hold(entry.Index > 0);
        Invariant.Hold(index.Find(hash, entry.Key).IsNone);
        Slot slot = NewSlot(entry.Key, entry.Value, entry.Index, entry.Time);
        index.Add(hash, slot);
        if (StateKeys.IsClient(entry.Key))
            loading.Add(slot);
        Entries++;
        lastLoaded = Math.Max(lastLoaded, entry.Index);
        if (StateKeys.IsClock(entry.Key))
        {
            hasClockEntry = true;
            Version = entry.Value.IsEmpty ? 2 : entry.Value[0];
            LogTime = entry.Time ?? 0;
        }
    }

    /// <summary>Writes log time and version into the store, for a view. Without a value the version is 2.</summary>
    private void PutClock()
    {
        Put(StateKeys.Clock, Version > 2 ? [(byte)Version] : default, LogTime);
        hasClockEntry = true;
    }

    /// <summary>True if an entry of these lengths has the slot's size class and layout.</summary>
    private static bool HasRoom(Slot slot, int keyLength, int valueLength, bool hasTime) => slot.HasTime == hasTime
        && SizeClasses.Of(Slot.BytesOf(keyLength, valueLength, hasTime)) == SizeClasses.Of(slot.EntryBytes);

    private Slot NewSlot(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long writtenAt, long? time)
    {
        Slot slot = slots.Allocate(key.Length, value.Length, time is not null);
        slot.SetKey(key);
        slot.SetValue(value);
        slot.Index = writtenAt;
        AddTime(slot, time);
        digest.Add(slot);
        return slot;
    }

    private void AddTime(Slot slot, long? time)
    {
        if (time is not { } given)
            return;
        slot.SetTime(given);
        if (StateKeys.IsClock(slot.Key))
            return;
        bool isOutcome = StateKeys.IsOutcome(slot.Key);
        (isOutcome ? outcomes : expiring).Add(slot);
        OutcomeBytes += isOutcome ? Outcome.MemoryBytes : 0;
    }

    private void RemoveTime(Slot slot)
    {
        if (!slot.HasTime || StateKeys.IsClock(slot.Key))
            return;
        bool isOutcome = StateKeys.IsOutcome(slot.Key);
        (isOutcome ? outcomes : expiring).Remove(slot);
        OutcomeBytes -= isOutcome ? Outcome.MemoryBytes : 0;
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

/// <param name="key">Valid during the call.</param>
/// <param name="tag">Index of the key's last write.</param>
/// <returns>False to visit no further key.</returns>
public delegate bool VisitKey(ReadOnlySpan<byte> key, long tag);
