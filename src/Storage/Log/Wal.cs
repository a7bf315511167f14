using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Log;

/// <summary>
/// The write-ahead log. The loop appends records into the open batch in a buffer, where they lie as they will on the disk; the writer
/// takes what was published and writes it with one synchronous write. So a record is copied once, a batch is a sync, and what queues
/// during one sync makes the next batch. No threads, clocks or timers here: each method says whose it is, and one thread may be all.
/// </summary>
public sealed class Wal : IDisposable
{
    private readonly Lock gate;
    private readonly AlignedMemory seal = new(IDisk.Alignment);
    private readonly WalSegments segments;
    private readonly WalQueue queue;
    private readonly WalBuffers buffers;
    private readonly WalExtents extents;
    private readonly WalTerms terms;
    private readonly WalStarts starts;
    private readonly WalReader reader;
    private readonly int bufferBytes;
    private HardState state;
    private long diskReads;
    private long publishedBatch;
    private long completedBatch;

    // The writer's. One write is under way at a time: recovery relies on it.
    private long takenBatch;
    private long writtenBatch;
    private bool isSealed;

    private Wal(
        WalReplay replay, WalSegments segments, WalExtents extents, WalTerms terms, WalStarts starts, WalReader reader, HardState state,
        WalOptions options, Lock gate)
    {
        this.gate = gate;
        this.segments = segments;
        this.extents = extents;
        this.terms = terms;
        this.starts = starts;
        this.reader = reader;
        bufferBytes = options.BufferBytes;
        this.state = state;
        publishedBatch = completedBatch = takenBatch = writtenBatch = replay.Batches;
        isSealed = replay.IsSealed;
        RecordBytesMax = options.RecordBytesMax;
        buffers = new WalBuffers(options.BufferBytes, options.CacheBuffers, options.LagBuffers, terms.Last.Index);
        queue = new WalQueue(new WalPendingBatch
        {
            Number = replay.Batches + 1,
            Buffer = buffers.Current,
            End = WalBatchHeader.Size,
            Last = terms.Last,
            State = state,
        });
    }

    /// <summary>Of the last entry appended, which may not be durable yet. Loop thread.</summary>
    public LogPosition Last => terms.Last;

    /// <inheritdoc cref="WalOptions.RecordBytesMax"/>
    public int RecordBytesMax { get; }

    /// <summary>The first entry that is kept; one above <see cref="Last"/> if none is. Loop thread.</summary>
    public long FirstIndex => terms.Base.Index + 1;

    /// <summary>Of all files of the log, the one prepared and those done with too. Any thread.</summary>
    public long BytesOnDisk => segments.Files.Bytes;

    /// <summary>The same without segments that are done with. Any thread.</summary>
    public long NeededBytesOnDisk => segments.Files.NeededBytes;

    /// <summary>Segments that are done with are to make room on the disk, rather than become next ones. Any thread.</summary>
    public void GiveUpKeptSegments() => segments.Files.GiveUpKept();

    /// <summary>Any thread.</summary>
    public bool NextSegmentIsReady => segments.Files.IsPrepared;

    /// <summary>Whether <see cref="TryPrepareSegment"/> has segments to delete. Any thread.</summary>
    public bool HasSegmentsToDelete => segments.Files.HasUnneeded;

    /// <summary>Whether the last <see cref="TryPrepareSegment"/> found no room. Any thread.</summary>
    public bool DiskIsFull => segments.Files.DiskIsFull;

    /// <summary>Replays the log, cuts off a torn tail, and makes it ready for appending. Nothing on the disk changes before all of it has been read.</summary>
    /// <exception cref="StorageException">Damage, another node's log, or no room for the first segment.</exception>
    public static Wal Open(IDisk disk, ulong clusterId, ulong memberId, WalOptions options, out WalRecovery recovery) =>
        Open(disk, clusterId, memberId, options, default, out recovery);

    /// <inheritdoc cref="Open(IDisk, ulong, ulong, WalOptions, out WalRecovery)"/>
    /// <param name="snapshot">The last entry that the snapshot covers which was loaded; (0, 0): none. A log that doesn't match it is emptied (§7).</param>
    /// <exception cref="StorageException">Entries between snapshot and log are missing; or as above.</exception>
    public static Wal Open(
        IDisk disk, ulong clusterId, ulong memberId, WalOptions options, LogPosition snapshot, out WalRecovery recovery)
    {
        options.Check();
        WalExtents extents = new();
        WalTerms terms = new();
        WalStarts starts = new();
        WalReplay replay = new(disk, clusterId, memberId, extents, terms, starts);
        replay.Run();
        LogPosition? reset = replay.MustReset(snapshot) ? snapshot : null;
        HardState state = HardStateOrder.Seen(replay.State, terms.Last);
        Lock gate = new();
        WalSegments segments = WalSegments.Open(disk, clusterId, memberId, options, replay, reset, gate);
        if (reset is not null)
        {
            terms.Reset(snapshot);
            extents.Clear();
            starts.Clear();
        }
        starts.Add(new WalStart(segments.Segment, segments.Start));
        recovery = new WalRecovery
        {
            HardState = HardStateOrder.Seen(state, snapshot),
            Base = terms.Base,
            Last = terms.Last,
            TermRuns = terms.ToArray(),
            Configurations = reset is null ? replay.Configurations : [],
            Bytes = replay.Bytes,
            Segments = Math.Max(1, replay.Segments),
            Batches = replay.Batches,
            WasReset = reset is not null,
            TornTail = replay.TornTail,
        };
        WalReader reader = new(disk, extents, options.RecordBytesMax);
        return new Wal(replay, segments, extents, terms, starts, reader, reset is null ? replay.State : state, options, gate);
    }

    /// <summary>Makes the log of a member that begins with a snapshot, where there is none yet. Durable when it returns.</summary>
    /// <exception cref="StorageException">No room.</exception>
    public static void Create(IDisk disk, ulong clusterId, ulong memberId, WalOptions options, LogPosition snapshot)
    {
        options.Check();
        WalReplay replay = new(disk, clusterId, memberId, new WalExtents(), new WalTerms(), new WalStarts());
        replay.Run();
        Invariant.Hold(replay.Segments == 0);
        WalSegments.Open(disk, clusterId, memberId, options, replay, snapshot, new Lock()).Dispose();
    }

    /// <summary>
    /// Appends a log entry; what stands at its index and after it is truncated first (§5.3). Hard states that entries depend on go
    /// first: a crash may keep any prefix of what was appended. Loop thread.
    /// </summary>
    /// <param name="record">Complete and stamped; copied.</param>
    public void Append(ReadOnlySpan<byte> record, in RecordHeader header)
    {
        Invariant.Hold(record.Length == header.RecordLength);
        Invariant.Hold(header.Type is RecordType.Command or RecordType.NoOp or RecordType.Configuration);
        Invariant.Hold(header.Position.Index > terms.Base.Index);
        long index = header.Position.Index;
        long last = terms.Last.Index;
        bool canFollow = terms.TryAppend(header.Position);
        Invariant.Hold(canFollow);
        if (index <= last)
        {
            buffers.Truncate(index);
            extents.Truncate(index);
            reader.Truncate(index);
        }
        Span<byte> place = Reserve(record.Length, out int offset);
        record.CopyTo(place);
        ref WalPendingBatch open = ref queue.Open;
        buffers.Add(index, offset, record.Length);
        extents.Add(open.Number, index, offset - open.Start, leading: open.Entries == 0);
        open.Entries++;
        open.Last = header.Position;
        open.RecordsChecksum = Crc32C.Append(open.RecordsChecksum, record[..Record.HeaderSize]);
    }

    /// <summary>Loop thread.</summary>
    public void AppendHardState(HardState state)
    {
        Invariant.Hold(HardStateOrder.MayFollow(this.state, state));
        this.state = state;
        Span<byte> record = Reserve(HardStateRecord.Size, out _);
        HardStateRecord.Write(record, state);
        ref WalPendingBatch open = ref queue.Open;
        open.State = state;
        open.RecordsChecksum = Crc32C.Append(open.RecordsChecksum, record[..Record.HeaderSize]);
    }

    /// <summary>Hands all that was appended to the writer. Between an append and this the writer gets nothing more. Loop thread.</summary>
    /// <param name="batchNumber">Of the batch that will hold the last of it; when nothing was appended, of the batch published last.</param>
    /// <returns>False when nothing was appended.</returns>
    public bool TryPublish(out long batchNumber)
    {
        bool isNew = queue.IsAppending;
        if (isNew)
        {
            publishedBatch = queue.Open.Number;
            lock (gate)
                queue.Publish();
        }
        batchNumber = publishedBatch;
        return isNew;
    }

    /// <summary>Whether records are sure to find room on the disk even if no further segment can be made. Loop thread.</summary>
    /// <param name="bytes">Of all records that were admitted and not appended yet, and that will be published together.</param>
    public bool HasRoom(long bytes)
    {
        long onDisk = BytesOnDiskOf(bytes);
        lock (gate)
            return segments.HasRoom(queue.BytesOnDisk + onDisk, bufferBytes, queue.Resets);
    }

    /// <summary>Whether <see cref="HasRoom"/> is true of so many bytes at some time: in an empty segment.</summary>
    public bool MayHaveRoom(long bytes) => BytesOnDiskOf(bytes) <= segments.RoomWhenEmpty;

    /// <summary>
    /// The records from <paramref name="firstIndex"/> on, as many as stand together in memory or in a read-ahead buffer, at least one.
    /// The bytes are valid until the next call. Loop thread; blocks if they have to be read from the disk.
    /// </summary>
    /// <exception cref="StorageException">A record on the disk is damaged.</exception>
    public ReadOnlySpan<byte> Read(long firstIndex, long lastIndex, int bytesMax, out int count)
    {
        Invariant.Hold(firstIndex > terms.Base.Index);
        Invariant.Hold(firstIndex <= lastIndex && lastIndex <= Last.Index);
        if (buffers.Holds(firstIndex))
            return buffers.Read(firstIndex, lastIndex, bytesMax, out count);
        Volatile.Write(ref diskReads, diskReads + 1);
        return reader.Read(firstIndex, lastIndex, bytesMax, out count);
    }

    /// <summary>How many calls of <see cref="Read"/> were for entries that are no longer in memory. Any thread.</summary>
    public long DiskReads => Volatile.Read(ref diskReads);

    /// <summary>
    /// The records from <paramref name="firstIndex"/> on that are in memory, as many as fit, at least one: several calls of
    /// <see cref="Read"/> give them. Loop thread.
    /// </summary>
    /// <returns>Their bytes; 0 if the first is on the disk only.</returns>
    public int MeasureInMemory(long firstIndex, long lastIndex, int bytesMax, out int count)
    {
        Invariant.Hold(firstIndex > terms.Base.Index);
        Invariant.Hold(firstIndex <= lastIndex && lastIndex <= Last.Index);
        count = 0;
        return buffers.Holds(firstIndex) ? buffers.Measure(firstIndex, lastIndex, bytesMax, out count) : 0;
    }

    /// <summary>Entries up to <paramref name="index"/> were applied: once durable, they need not stay in memory. Loop thread.</summary>
    /// <param name="replicated">Those above it stay none the less, up to <see cref="WalOptions.LagBuffers"/>: they are yet to be read for other members.</param>
    public void Release(long index, long replicated = long.MaxValue)
    {
        Invariant.Hold(index <= Last.Index);
        buffers.Release(index, replicated);
    }

    /// <summary>
    /// Entries up to <paramref name="index"/> are covered by a durable snapshot, and by the one that would be loaded if that were
    /// damaged: whole segments of them are done with. <see cref="FirstIndex"/> moves up to the first that stays. Loop thread.
    /// </summary>
    public void CompactTo(long index)
    {
        Invariant.Hold(index <= Last.Index);
        if (!starts.TryFind(index, terms, out WalStart start))
            return;
        terms.Forget(start.Last);
        extents.Forget(start.Last.Index);
        DropBefore(start.Segment);
    }

    /// <summary>
    /// §7: the log has no entry that matches the last one of a durable snapshot. It is emptied, and goes on behind that one, in a new
    /// segment; term and vote stay. A crash before that is durable leaves a log that <see cref="Open(IDisk, ulong, ulong, WalOptions,
    /// LogPosition, out WalRecovery)"/> empties. Loop thread.
    /// </summary>
    /// <returns>The batch with which it goes on. What earlier ones say of durability is of entries that are gone.</returns>
    public long ResetTo(LogPosition snapshot)
    {
        Invariant.Hold(snapshot.Index > terms.Base.Index);
        Invariant.Hold(!terms.Matches(snapshot));
        HardState seen = HardStateOrder.Seen(state, terms.Last);
        terms.Reset(snapshot);
        extents.Clear();
        buffers.Reset(snapshot.Index);
        reader.Truncate(0);
        lock (gate)
        {
            queue.BeginAppending();
            queue.Reset(snapshot);
        }
        AppendHardState(seen);
        return queue.Open.Number;
    }

    /// <summary>The batch is durable. Called in order, for seals too. Loop thread.</summary>
    public void Completed(in WalBatch batch)
    {
        Invariant.Hold(batch.Number == completedBatch + 1);
        completedBatch = batch.Number;
        extents.Place(batch.Number, batch.Entries, batch.Segment, batch.Offset, batch.Bytes);
        buffers.Completed(batch.Number);
        starts.Add(new WalStart(batch.Segment, batch.SegmentStart));
        if (batch.Resets)
            DropBefore(batch.Segment);
    }

    /// <summary>What was published since the last one, if the loop isn't appending more just now. Writer thread.</summary>
    public bool TryTake(out WalBatch batch)
    {
        batch = default;
        WalPendingBatch pending;
        (long Segment, int Offset) place;
        lock (gate)
        {
            if (!queue.TryTake(out pending))
                return false;
            place = segments.Place(pending.BytesOnDisk, pending.Number, pending.Reset);
            segments.Passed(pending.Last, pending.State);
        }
        batch = Seal(pending, place, pending.Buffer.Memory.Address + pending.Start);
        return true;
    }

    /// <summary>
    /// An empty batch, unless the last one was empty or more is queued. A damaged last batch can't be told from one that was never
    /// finished; with a seal behind it, it can. Writer thread.
    /// </summary>
    public bool TryTakeSeal(out WalBatch batch)
    {
        batch = default;
        WalPendingBatch pending;
        (long Segment, int Offset) place;
        lock (gate)
        {
            if (isSealed || !queue.IsIdle || !segments.HasPlace(IDisk.Alignment))
                return false;
            pending = queue.TakeSeal();
            place = segments.Place(pending.BytesOnDisk, pending.Number, reset: null);
        }
        batch = Seal(pending, place, seal.Address);
        return true;
    }

    /// <summary>Blocks until the batch is durable. Writer thread.</summary>
    /// <exception cref="StorageException">It isn't, and nothing can be said of the log any more: the process stops.</exception>
    public void Write(in WalBatch batch)
    {
        Invariant.Hold(batch.Number == takenBatch);
        Invariant.Hold(batch.Number == writtenBatch + 1);
        segments.FileOf(batch.Segment).Write(batch.Offset, batch.Image);
        writtenBatch = batch.Number;
    }

    /// <summary>Makes the file of the next segment, if it can from a segment that is done with, and deletes others that are. One background thread.</summary>
    /// <returns>False when the disk is full; try again later.</returns>
    public bool TryPrepareSegment()
    {
        bool isPrepared = segments.Files.TryPrepare();
        segments.Files.DeleteUnneeded();
        return isPrepared;
    }

    /// <summary>No thread may be in any other method, nor use what <see cref="Read"/> returned.</summary>
    public void Dispose()
    {
        segments.Dispose();
        buffers.Dispose();
        reader.Dispose();
        seal.Dispose();
    }

    /// <summary>
    /// Records may need, besides themselves, a header and padding for each batch: one or two, and two more for each buffer they fill, since
    /// a batch and the first record of the next one exceed a buffer.
    /// </summary>
    private long BytesOnDiskOf(long bytes)
    {
        const int overhead = WalBatchHeader.Size + IDisk.Alignment - 1;
        return bytes + (2 + 2 * (bytes / (bufferBytes - WalBatchHeader.Size))) * overhead;
    }

    private void DropBefore(long segment)
    {
        starts.ForgetBefore(segment);
        segments.Files.NeedFrom(segment);
    }

    /// <summary>Room for a record in the open batch, or in a new one if the buffer is full.</summary>
    private Span<byte> Reserve(int length, out int offset)
    {
        if (!queue.IsAppending)
        {
            lock (gate)
                queue.BeginAppending();
        }
        if (queue.Open.End + length > bufferBytes)
            NextBuffer();
        ref WalPendingBatch open = ref queue.Open;
        offset = open.End;
        open.End += length;
        open.Records++;
        open.Buffer.LastBatch = open.Number;
        return open.Buffer.Memory.Span.Slice(offset, length);
    }

    private void NextBuffer()
    {
        buffers.Advance();
        if (queue.Open.IsEmpty)
        {
            queue.Open = queue.Open.MovedTo(buffers.Current);
            return;
        }
        lock (gate)
            queue.Close(buffers.Current);
    }

    /// <summary>Completes the batch's image: header and padding. The gate isn't needed: the next batch begins behind them.</summary>
    private WalBatch Seal(in WalPendingBatch pending, (long Segment, int Offset) place, nint address)
    {
        Invariant.Hold(takenBatch == writtenBatch);
        Invariant.Hold(pending.Number == takenBatch + 1);
        takenBatch = pending.Number;
        isSealed = pending.IsEmpty;
        WalBatch batch = new()
        {
            Number = pending.Number,
            Last = pending.Last,
            Entries = pending.Entries,
            Bytes = pending.BytesOnDisk,
            Resets = pending.Reset is not null,
            SegmentStart = segments.Start,
            Segment = place.Segment,
            Offset = place.Offset,
            Address = address,
        };
        WalBatchHeader header = new(pending.Number, place.Offset, pending.Bytes, pending.Records, pending.RecordsChecksum, pending.Last);
        header.Write(batch.Image, segments.Salt);
        batch.Image[pending.Bytes..].Clear();
        return batch;
    }
}
