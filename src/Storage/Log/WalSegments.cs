using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// The current segment, and the prepared segment after it. A batch gets its place when it is taken, and uses the place
/// when it is written. Between the taking and the writing, the current segment may have no file yet.
/// </summary>
internal sealed class WalSegments : IDisposable
{
    /// <summary>Bytes of zeros that <see cref="Clear"/> writes at a time.</summary>
    private const int ClearBytes = 1 << 20;

    private readonly IDisk disk;
    private readonly WalSegmentFiles files;
    private readonly long segmentBytes;
    private readonly int reserveBytes;
    private readonly Lock gate;
    private readonly AlignedMemory headerBlock = new(WalSegmentHeader.Size);
    private WalSegmentHeader header;
    private LogPosition last;
    private HardState state;
    private int offset;
    private long fileSegment;
    private IDiskFile? file;

    private WalSegments(
        IDisk disk, WalSegmentFiles files, WalSegmentHeader header, WalOptions options, WalReplay replay, Lock gate)
    {
        this.disk = disk;
        this.files = files;
        this.header = header;
        segmentBytes = options.SegmentBytes;
        reserveBytes = options.ReserveBytes;
        this.gate = gate;
        fileSegment = header.Segment;
        offset = replay.Offset;
        last = replay.Last;
        state = replay.State;
        Salt = replay.Salt;
    }

    /// <summary>Continues at the end of the replay, in the last segment, or begins the first segment.</summary>
    /// <param name="reset">Position after which the emptied log continues; null to keep the log.</param>
    public static WalSegments Open(
        IDisk disk, ulong clusterId, ulong memberId, WalOptions options, WalReplay replay, LogPosition? reset,
        Lock gate)
    {
        bool isNew = replay.Segments == 0;
        WalSegmentHeader header =
            isNew ? new WalSegmentHeader { ClusterId = clusterId, MemberId = memberId } : replay.Header;
        WalSegmentFiles files = new(disk, options.SegmentBytes, options.SpareSegments);
        files.Open(isNew ? 1 : replay.FirstFile, replay.FileBytes);
        WalSegments segments = new(disk, files, header, options, replay, gate);
        if (isNew || reset is not null)
        {
            files.TryPrepare();
            segments.BeginSegment(replay.Batches + 1, reset);
            segments.FileOf(segments.header.Segment);
        }
        else
        {
            segments.file = disk.Open(WalSegment.Name(header.Segment));
            // The last process may have been killed between a write and its sync, or between a rename and the
            // directory's sync.
            segments.file.Sync();
            disk.SyncDirectory();
            RewriteLastBatch(segments.file, replay);
            Clear(segments.file, replay.Offset, replay.TailEnd, header.SegmentBytes);
        }
        files.NeedFrom(reset is null && !isNew ? replay.FirstSegment : segments.header.Segment);
        return segments;
    }

    /// <summary>Salt of the current segment's batches.</summary>
    public uint Salt { get; private set; }

    /// <summary>Number of the current segment, which has the place given last.</summary>
    public long Segment => header.Segment;

    /// <summary>Last entry before the current segment.</summary>
    public LogPosition Start => header.Last;

    public WalSegmentFiles Files => files;

    /// <summary>Bytes for batches in an empty segment, without the reserve.</summary>
    public long RoomWhenEmpty => segmentBytes - WalSegmentHeader.Size - reserveBytes;

    /// <summary>
    /// True if batches of <paramref name="bytes"/> in all, each of at most <paramref name="batchBytesMax"/>, are sure
    /// to find a place on a full disk. Batches fill the current segment until a batch doesn't fit, which wastes less
    /// than the size of that batch. The batches continue in the next segment, if it is prepared. Under the gate.
    /// </summary>
    /// <param name="restarts">Number of batches that begin a segment of their own.</param>
    /// <param name="mayUseReserve">True to count half of the reserve as room.</param>
    public bool HasRoom(long bytes, int batchBytesMax, int restarts, bool mayUseReserve)
    {
        int kept = mayUseReserve ? reserveBytes / 2 : reserveBytes;
        long roomInNext = segmentBytes - WalSegmentHeader.Size - kept;
        bool isPrepared = files.IsPrepared;
        bool isRolling = fileSegment != header.Segment;
        if (isRolling && !isPrepared)
            return false;
        // The reserve moves to the next segment.
        if (restarts > 0)
            return restarts == 1 && isPrepared && !isRolling && bytes <= roomInNext;
        long room = header.SegmentBytes - offset - kept;
        if (bytes <= room)
            return true;
        if (!isPrepared || isRolling)
            return false;
        return bytes <= Math.Max(0, header.SegmentBytes - offset - batchBytesMax) + roomInNext;
    }

    /// <summary>
    /// True if the queued batches of <paramref name="bytes"/> in all fit into the current segment. The prepared segment
    /// is then left for the batch with which the log restarts. Under the gate.
    /// </summary>
    /// <param name="restarts">Number of queued batches that begin a segment of their own.</param>
    public bool HasRoomToRestart(long bytes, int restarts) =>
        files.IsPrepared && fileSegment == header.Segment && restarts == 0 && bytes <= header.SegmentBytes - offset;

    /// <summary>True if a batch can be written without making a file. Under the gate.</summary>
    public bool HasPlace(int bytes) => Fits(bytes) || files.IsPrepared;

    /// <summary>
    /// Gives a batch its place. If the place is in a new segment, the segment's header describes the log before the
    /// batch. Writer thread, under the gate.
    /// </summary>
    /// <param name="reset">
    /// Position after which the emptied log continues, with this batch, in a new segment; or null.
    /// </param>
    public (long Segment, int Offset) Place(int bytes, long batch, LogPosition? reset)
    {
        if (reset is not null || !Fits(bytes))
            BeginSegment(batch, reset);
        (long, int) place = (header.Segment, offset);
        offset += bytes;
        return place;
    }

    /// <summary>
    /// Sets the state of the log after the batch that was placed last. Writer thread, under the gate.
    /// </summary>
    public void Passed(LogPosition last, HardState state)
    {
        this.last = last;
        this.state = state;
    }

    /// <summary>True if the segment with the last place has its file. Writer thread.</summary>
    public bool HasFileOf(long segment) => segment == fileSegment;

    /// <summary>Gives the segment with the last place its file, if it has none yet. Writer thread.</summary>
    /// <returns>False if the directory has no room for the file's name.</returns>
    public bool TryRollTo(long segment) => segment == fileSegment || TryRoll(segment);

    /// <summary>File of the segment with the last place. Makes the file if the segment is new. Writer thread.</summary>
    /// <exception cref="StorageException">The disk has no room for the file, or for its name.</exception>
    public IDiskFile FileOf(long segment)
    {
        if (!TryRollTo(segment))
        {
            throw new StorageException(
                $"the directory has no room for the name {WalSegment.Name(segment)}; "
                + "free some space, then start again");
        }
        return file!;
    }

    public void Dispose()
    {
        file?.Dispose();
        headerBlock.Dispose();
    }

    private bool Fits(int bytes) => bytes <= header.SegmentBytes - offset;

    private void BeginSegment(long batch, LogPosition? reset)
    {
        header = header with
        {
            Segment = header.Segment + 1,
            SegmentBytes = segmentBytes,
            FirstBatch = batch,
            Last = reset ?? last,
            // The emptied entries prove their terms, so the header keeps the last term.
            State = reset is null ? state : HardStateOrder.Seen(state, last),
            Resets = reset is not null,
            HoldsOldBytes = files.NextMayHoldOldBytes,
        };
        last = header.Last;
        state = header.State;
        Salt = header.Write(headerBlock.Span);
        offset = WalSegmentHeader.Size;
    }

    private bool TryRoll(long segment)
    {
        Invariant.Hold(segment == fileSegment + 1);
        if (!files.TryPublishNext(segment, headerBlock.Span))
            return false;
        file?.Dispose();
        file = disk.Open(WalSegment.Name(segment));
        lock (gate)
        {
            files.Used();
            fileSegment = segment;
        }
        return true;
    }

    /// <summary>
    /// Writes the last batch once more. If its sync failed, Linux counts the batch's pages as written: they are read,
    /// but may not be on the disk, and a later sync writes nothing. Only the last batch can be affected, because a
    /// batch begins after the sync of the batch before it. Equal bytes replace each sector, so a torn rewrite does no
    /// harm.
    /// </summary>
    private static void RewriteLastBatch(IDiskFile file, WalReplay replay)
    {
        ReadOnlySpan<byte> batch = replay.LastBatch;
        if (batch.Length > 0)
            file.Write(replay.Offset - batch.Length, batch);
    }

    /// <summary>Makes the end of a segment as it was at the segment's beginning: zeros up to the full size.</summary>
    /// <param name="offset">Offset after the last batch and its padding.</param>
    /// <param name="end">Offset after the last byte that isn't zero.</param>
    private static void Clear(IDiskFile file, int offset, int end, long segmentBytes)
    {
        if (end <= offset && file.Length >= segmentBytes)
            return;
        using AlignedMemory zeros = new(ClearBytes);
        zeros.Span.Clear();
        Fill(file, offset, AlignedMemory.RoundUp(end), zeros);
        long length = file.Length;
        if (length >= segmentBytes)
            return;
        // The file was cut, perhaps inside the last batch's padding. The rest of that block stays.
        long block = length & -IDisk.Alignment;
        Span<byte> cut = zeros.Span[..IDisk.Alignment];
        file.Read(block, cut);
        file.Write(block, cut);
        cut.Clear();
        Fill(file, block + IDisk.Alignment, segmentBytes, zeros);
    }

    private static void Fill(IDiskFile file, long offset, long end, AlignedMemory zeros)
    {
        while (offset < end)
        {
            int bytes = (int)Math.Min(ClearBytes, end - offset);
            file.Write(offset, zeros.Span[..bytes]);
            offset += bytes;
        }
    }
}
