using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// The write-ahead log, as the loop uses it. The loop appends records to the open batch, in memory that is laid out as
/// the disk's bytes. The writer thread takes published batches and writes each with one synchronous write
/// (<see cref="WalBatchWriter"/>). So a record is copied once, and all records that arrive during one sync share the
/// next batch.
/// <para>The life of a batch:</para>
/// <code>
/// accepted    loop            Append, AppendHardState   the open batch holds the records
/// published   loop            TryPublish                the writer may take the batch; until then it may grow
/// taken       writer thread   WalBatchWriter.TryTake    the batch has its place on the disk, header and padding
/// written     writer thread   WalBatchWriter.Write      the batch is on stable storage
/// completed   loop            Completed                 the batch counts as durable; its entries are found on the disk
/// released    loop            Release                   its entries are applied, so its memory may be used again
/// </code>
/// <para>
/// Members belong to the loop, except where a comment names another thread. The log has no threads, clocks or timers of
/// its own: one thread may call everything.
/// </para>
/// </summary>
public sealed class Wal : IDisposable
{
    private readonly Lock gate;
    private readonly WalSegments segments;
    private readonly WalQueue queue;
    private readonly WalBuffers buffers;
    private readonly WalExtents extents;
    private readonly WalTerms terms;
    private readonly WalStarts starts;
    private readonly WalReader reader;
    private readonly IDisk disk;
    private readonly List<WalRead> reads = [];
    private readonly int bufferBytes;
    private HardState state;
    private long diskReads;
    private long readsBegun;
    private long publishedBatch;
    private long completedBatch;

    private Wal(WalParts parts, WalOptions options)
    {
        gate = parts.Gate;
        segments = parts.Segments;
        extents = parts.Extents;
        terms = parts.Terms;
        starts = parts.Starts;
        reader = parts.Reader;
        disk = parts.Disk;
        state = parts.State;
        bufferBytes = options.BufferBytes;
        publishedBatch = completedBatch = parts.LastBatch;
        RecordBytesMax = options.RecordBytesMax;
        MemoryBytesMax = (long)options.LagBuffers * options.BufferBytes;
        buffers = new WalBuffers(options.BufferBytes, options.CacheBuffers, options.LagBuffers, terms.Last.Index);
        queue = new WalQueue(new WalPendingBatch
        {
            Number = parts.LastBatch + 1,
            Buffer = buffers.Current,
            End = WalBatchHeader.Size,
            Last = terms.Last,
            State = state,
        });
        Writer = new WalBatchWriter(queue, parts);
    }

    /// <summary>The half of the log that belongs to the writer thread.</summary>
    public WalBatchWriter Writer { get; }

    /// <summary>Position of the last entry appended, which may not be durable yet.</summary>
    public LogPosition Last => terms.Last;

    /// <inheritdoc cref="WalOptions.RecordBytesMax"/>
    public int RecordBytesMax { get; }

    /// <summary>
    /// Index of the first entry that the log keeps; one above <see cref="Last"/> if the log is empty.
    /// </summary>
    public long FirstIndex => terms.Base.Index + 1;

    /// <summary>Bytes of all files of the log, the prepared file and unneeded segments included. Any thread.</summary>
    public long BytesOnDisk => segments.Files.Bytes;

    /// <summary>Bytes of all files of the log, without unneeded segments. Any thread.</summary>
    public long NeededBytesOnDisk => segments.Files.NeededBytes;

    /// <summary>Stops keeping unneeded segments for reuse, so that they make room on the disk. Any thread.</summary>
    public void GiveUpKeptSegments() => segments.Files.GiveUpKept();

    /// <summary>Bytes of the buffers of entries in memory.</summary>
    public long MemoryBytes => (long)buffers.Count * bufferBytes;

    /// <summary>
    /// Bytes of entries in memory at which entries that other members need are dropped from memory.
    /// </summary>
    public long MemoryBytesMax { get; }

    /// <summary>Bytes of the buffers for reading old entries from the disk.</summary>
    public long ReaderBytes
    {
        get
        {
            long bytes = reader.MemoryBytes;
            foreach (WalRead read in reads)
                bytes += read.MemoryBytes;
            return bytes;
        }
    }

    /// <summary>True while a file is prepared for the next segment. Any thread.</summary>
    public bool NextSegmentIsReady => segments.Files.IsPrepared;

    /// <summary>True while <see cref="TryPrepareSegment"/> has segments to delete. Any thread.</summary>
    public bool HasSegmentsToDelete => segments.Files.HasUnneeded;

    /// <summary>True while the last <see cref="TryPrepareSegment"/> found no room. Any thread.</summary>
    public bool DiskIsFull => segments.Files.DiskIsFull;

    /// <summary>
    /// Replays the log, cuts off a torn tail, and prepares the log for appending. Nothing on the disk changes before
    /// the whole log has been read.
    /// </summary>
    /// <exception cref="StorageException">
    /// The log is damaged or another node's, or its first segment finds no room.
    /// </exception>
    public static Wal Open(IDisk disk, ulong clusterId, ulong memberId, WalOptions options, out WalRecovery recovery) =>
        Open(disk, clusterId, memberId, options, default, out recovery);

    /// <inheritdoc cref="Open(IDisk, ulong, ulong, WalOptions, out WalRecovery)"/>
    /// <param name="snapshot">
    /// Last entry that the loaded snapshot covers; (0, 0) without a snapshot. A log that doesn't match this entry is
    /// emptied (§7).
    /// </param>
    /// <exception cref="StorageException">
    /// Entries between the snapshot and the log are missing; the log is damaged or another node's; or its first segment
    /// finds no room.
    /// </exception>
    public static Wal Open(
        IDisk disk, ulong clusterId, ulong memberId, WalOptions options, LogPosition snapshot, out WalRecovery recovery)
    {
        options.Check();
        return new Wal(WalParts.Open(disk, clusterId, memberId, options, snapshot, out recovery), options);
    }

    /// <summary>
    /// Makes the log of a member that begins with a snapshot, in a directory without a log. The log is durable at the
    /// return.
    /// </summary>
    /// <exception cref="StorageException">The disk has no room.</exception>
    public static void Create(IDisk disk, ulong clusterId, ulong memberId, WalOptions options, LogPosition snapshot)
    {
        options.Check();
        using WalReplay replay = new(disk, clusterId, memberId, new WalExtents(), new WalTerms(), new WalStarts());
        replay.Run(default);
        Invariant.Hold(replay.Segments == 0);
        WalSegments.Open(disk, clusterId, memberId, options, replay, snapshot, new Lock()).Dispose();
    }

    /// <summary>
    /// Appends a log entry, after truncating entries at its index and later (§5.3). The caller appends a hard state
    /// before the entries that depend on it: a crash may keep any prefix of the appended records.
    /// </summary>
    /// <param name="record">A finished and stamped record, which is copied.</param>
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

    /// <summary>
    /// Hands all appended records to the writer, and returns false if there are none. From the first append until this
    /// call, the writer can't take the open batch.
    /// </summary>
    /// <param name="batchNumber">Number of the batch published last, which holds the last record appended.</param>
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

    /// <summary>
    /// True if records are sure to fit on the disk even if no other segment can be made. Batches in the queue count as
    /// written, so this also bounds the queue. Records in memory that wait for the disk never exceed the current and
    /// the prepared segment.
    /// </summary>
    /// <param name="bytes">
    /// Bytes of all records admitted but not yet appended, which will be published together.
    /// </param>
    public bool HasRoom(long bytes) => FindsRoom(bytes, mayUseReserve: false);

    /// <summary>
    /// Does the same as <see cref="HasRoom"/> for the few entries that the cluster needs to continue on a full disk.
    /// These entries may use half of the reserve. The other half stays for hard states, seals and the no-ops of this
    /// member.
    /// </summary>
    public bool HasRoomInReserve(long bytes) => FindsRoom(bytes, mayUseReserve: true);

    /// <summary>True if <see cref="HasRoom"/> can ever be true for this number of bytes, in an empty segment.</summary>
    public bool MayHaveRoom(long bytes) => BytesOnDiskOf(bytes) <= segments.RoomWhenEmpty;

    /// <summary>True while a published batch is not on stable storage.</summary>
    public bool HasWriteOut => completedBatch < publishedBatch;

    /// <summary>
    /// Records from <paramref name="firstIndex"/> on that are contiguous in memory or in a read-ahead buffer, at least
    /// one. The bytes are valid until the next call. Blocks if the records must be read from the disk.
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

    /// <summary>Calls of <see cref="Read"/> for entries that were no longer in memory. Any thread.</summary>
    public long DiskReads => Volatile.Read(ref diskReads);

    /// <summary>Makes a read, which lives as long as the log.</summary>
    public WalRead CreateRead()
    {
        WalRead read = new(disk, RecordBytesMax);
        reads.Add(read);
        return read;
    }

    /// <summary>
    /// Begins to read records from <paramref name="firstIndex"/> on, at least one, which are no longer in memory. The
    /// caller lets another thread step the read to its end, then calls <see cref="TryEndRead"/>.
    /// </summary>
    /// <param name="before">A read that may have ended before the first entry; null for this read itself.</param>
    public void BeginRead(WalRead read, long firstIndex, int bytesMax, WalRead? before = null)
    {
        Invariant.Hold(firstIndex > terms.Base.Index);
        Invariant.Hold(!buffers.Holds(firstIndex));
        readsBegun++;
        read.Begin(extents.Find(firstIndex, bytesMax), firstIndex, bytesMax, before ?? read);
    }

    /// <summary>Ends a read whose last step is done.</summary>
    /// <returns>
    /// False if the log no longer has the segment. The read then may have failed, or may have met bytes of another one.
    /// </returns>
    /// <exception cref="StorageException">The disk failed, or a record on it is damaged.</exception>
    public bool TryEndRead(WalRead read)
    {
        if (!HasSegmentOf(read))
            return false;
        return read.Failure is null ? true : throw read.Failure;
    }

    internal bool HasSegmentOf(WalRead read) => segments.Files.IsNeeded(read.Segment);

    /// <summary>Calls of <see cref="BeginRead"/>.</summary>
    public long ReadsBegun => readsBegun;

    /// <summary>
    /// Counts the records in memory from <paramref name="firstIndex"/> on that fit into <paramref name="bytesMax"/>, at
    /// least one. Several calls of <see cref="Read"/> may be needed to get these records.
    /// </summary>
    /// <returns>Bytes of these records; 0 if the first record is only on the disk.</returns>
    public int MeasureInMemory(long firstIndex, long lastIndex, int bytesMax, out int count)
    {
        Invariant.Hold(firstIndex > terms.Base.Index);
        Invariant.Hold(firstIndex <= lastIndex && lastIndex <= Last.Index);
        count = 0;
        return buffers.Holds(firstIndex) ? buffers.Measure(firstIndex, lastIndex, bytesMax, out count) : 0;
    }

    /// <summary>
    /// Lets entries up to <paramref name="index"/>, which are applied, leave memory once they are durable.
    /// </summary>
    /// <param name="replicated">
    /// Index above which entries stay in memory, up to <see cref="WalOptions.LagBuffers"/>: other members still need
    /// them.
    /// </param>
    public void Release(long index, long replicated = long.MaxValue)
    {
        Invariant.Hold(index <= Last.Index);
        buffers.Release(index, replicated);
    }

    /// <summary>
    /// Drops whole segments of entries up to <paramref name="index"/>, and moves <see cref="FirstIndex"/> to the first
    /// entry that stays. The entries are covered by a durable snapshot, and also by the older snapshot that replaces a
    /// damaged one.
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
    /// Empties a log that has no entry matching the last entry of a durable snapshot (§7). The log continues after the
    /// snapshot in a new segment, with term and vote unchanged. If a crash comes before the new segment is durable, the
    /// next Open empties the log.
    /// </summary>
    /// <param name="batch">
    /// Number of the batch with which the log continues. Positions in earlier batches are of entries that are gone.
    /// </param>
    /// <returns>
    /// False if nothing has changed, because the batches in the queue may need the prepared segment: on a full disk
    /// there is no further segment. The caller tries again later.
    /// </returns>
    public bool TryResetTo(LogPosition snapshot, out long batch)
    {
        Invariant.Hold(snapshot.Index > terms.Base.Index);
        Invariant.Hold(!terms.Matches(snapshot));
        batch = 0;
        lock (gate)
        {
            if (!segments.HasRoomToRestart(queue.BytesOnDisk, queue.Resets))
                return false;
            queue.BeginAppending();
            queue.Reset(snapshot);
        }
        HardState seen = HardStateOrder.Seen(state, terms.Last);
        terms.Reset(snapshot);
        extents.Clear();
        buffers.Reset(snapshot.Index);
        reader.Truncate(0);
        AppendHardState(seen);
        batch = queue.Open.Number;
        return true;
    }

    /// <summary>Records that a batch is durable. The caller passes every batch, seals included, in order.</summary>
    public void Completed(in WalBatch batch)
    {
        Invariant.Hold(batch.Number == completedBatch + 1);
        completedBatch = batch.Number;
        extents.Place(batch.Number, batch.Entries, batch.Segment, batch.Offset, batch.Bytes);
        buffers.Completed(batch.Number);
        if (batch.IsSeal)
            buffers.Shrink();
        starts.Add(new WalStart(batch.Segment, batch.SegmentStart));
        if (batch.Resets)
            DropBefore(batch.Segment);
    }

    /// <summary>
    /// Prepares the file of the next segment, by reuse of an unneeded segment if possible, and deletes other unneeded
    /// segments. Returns false if the disk is full: the caller tries again later. One background thread.
    /// </summary>
    public bool TryPrepareSegment()
    {
        bool isPrepared = segments.Files.TryPrepare();
        segments.Files.DeleteUnneeded();
        return isPrepared;
    }

    /// <summary>No thread may be in another method, nor use the bytes that <see cref="Read"/> returned.</summary>
    public void Dispose()
    {
        segments.Dispose();
        buffers.Dispose();
        reader.Dispose();
        foreach (WalRead read in reads)
            read.Dispose();
        Writer.Dispose();
    }

    /// <summary>
    /// Upper bound of the bytes on the disk for records of this size. Each batch adds a header and padding. There are
    /// at most two batches, and two more for each buffer that the records fill. A batch and the first record of the
    /// next batch exceed a buffer.
    /// </summary>
    private long BytesOnDiskOf(long bytes)
    {
        const int overhead = WalBatchHeader.Size + IDisk.Alignment - 1;
        return bytes + (2 + 2 * (bytes / (bufferBytes - WalBatchHeader.Size))) * overhead;
    }

    private bool FindsRoom(long bytes, bool mayUseReserve)
    {
        long onDisk = BytesOnDiskOf(bytes);
        lock (gate)
            return segments.HasRoom(queue.BytesOnDisk + onDisk, bufferBytes, queue.Resets, mayUseReserve);
    }

    private void DropBefore(long segment)
    {
        starts.ForgetBefore(segment);
        segments.Files.NeedFrom(segment);
    }

    /// <summary>Reserves room for a record in the open batch, or in a new batch if the buffer is full.</summary>
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
}
