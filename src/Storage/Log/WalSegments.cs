using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// The segment that is being written, and the one prepared to follow it. A place is given when a batch is taken and used when it is
/// written: between the two the log is in the next segment already, and its file isn't.
/// </summary>
internal sealed class WalSegments : IDisposable
{
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

    private WalSegments(IDisk disk, WalSegmentFiles files, WalSegmentHeader header, WalOptions options, WalReplay replay, Lock gate)
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

    /// <summary>Goes on where the replay ended: in the last segment, or with the first.</summary>
    /// <param name="reset">If not null, the log is emptied and goes on behind this position.</param>
    public static WalSegments Open(
        IDisk disk, ulong clusterId, ulong memberId, WalOptions options, WalReplay replay, LogPosition? reset, Lock gate)
    {
        bool isNew = replay.Segments == 0;
        WalSegmentHeader header = isNew ? new WalSegmentHeader { ClusterId = clusterId, MemberId = memberId } : replay.Header;
        WalSegmentFiles files = new(disk, options.SegmentBytes, options.SpareSegments);
        files.Open(isNew ? 1 : replay.FirstFile, replay.FileBytes);
        WalSegments segments = new(disk, files, header, options, replay, gate);
        if (isNew || reset is not null)
        {
            files.TryPrepare();
            segments.BeginSegment(replay.Batches + 1, reset);
            segments.Roll(segments.header.Segment);
        }
        else
        {
            segments.file = disk.Open(WalSegment.Name(header.Segment));
            // The process before this one may have been killed between a write and its sync, or a rename and its.
            segments.file.Sync();
            disk.SyncDirectory();
            WalTail.Clear(segments.file, replay.Offset, replay.TailEnd, header.SegmentBytes);
        }
        files.NeedFrom(reset is null && !isNew ? replay.FirstSegment : segments.header.Segment);
        return segments;
    }

    /// <summary>Of the segment in which the last place was given.</summary>
    public uint Salt { get; private set; }

    /// <summary>In which the last place was given.</summary>
    public long Segment => header.Segment;

    /// <summary>The last entry before that segment.</summary>
    public LogPosition Start => header.Last;

    public WalSegmentFiles Files => files;

    /// <summary>Bytes of batches, in a segment that has just begun.</summary>
    public long RoomWhenEmpty => segmentBytes - WalSegmentHeader.Size - reserveBytes;

    /// <summary>
    /// Whether batches of so many bytes, none above <paramref name="batchBytesMax"/>, are sure to find a place. They fill the present
    /// segment until one doesn't fit, which wastes less than that one's size, and go on in the next, if it is there: then a full disk
    /// can't stop them.
    /// </summary>
    /// <param name="restarts">So many batches begin a segment of their own.</param>
    public bool HasRoom(long bytes, int batchBytesMax, int restarts)
    {
        bool isPrepared = files.IsPrepared;
        bool isRolling = fileSegment != header.Segment;
        if (isRolling && !isPrepared)
            return false;
        // The reserve moves on into the next segment.
        if (restarts > 0)
            return restarts == 1 && isPrepared && !isRolling && bytes <= RoomWhenEmpty;
        long present = header.SegmentBytes - offset - reserveBytes;
        if (bytes <= present)
            return true;
        return isPrepared && !isRolling && bytes <= Math.Max(0, header.SegmentBytes - offset - batchBytesMax) + RoomWhenEmpty;
    }

    /// <summary>Whether a batch can be written without making a file. Under the gate.</summary>
    public bool HasPlace(int bytes) => Fits(bytes) || files.IsPrepared;

    /// <summary>The place of a batch. If it is in a new segment, that one's header tells of the log before the batch. Under the gate.</summary>
    /// <param name="reset">If not null, the log is emptied and goes on behind this position, with this batch, in a new segment.</param>
    public (long Segment, int Offset) Place(int bytes, long batch, LogPosition? reset)
    {
        if (reset is not null || !Fits(bytes))
            BeginSegment(batch, reset);
        (long, int) place = (header.Segment, offset);
        offset += bytes;
        return place;
    }

    /// <summary>Where the log stands behind the batch that was placed last. Under the gate.</summary>
    public void Passed(LogPosition last, HardState state)
    {
        this.last = last;
        this.state = state;
    }

    /// <summary>Writer thread: the file goes where the last place is.</summary>
    public IDiskFile FileOf(long segment)
    {
        if (segment != fileSegment)
            Roll(segment);
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
            // With the entries goes what they tell of terms.
            State = reset is null ? state : HardStateOrder.Seen(state, last),
            Resets = reset is not null,
            HoldsOldBytes = files.NextMayHoldOldBytes,
        };
        last = header.Last;
        state = header.State;
        Salt = header.Write(headerBlock.Span);
        offset = WalSegmentHeader.Size;
    }

    private void Roll(long segment)
    {
        Invariant.Hold(segment == fileSegment + 1);
        files.PublishNext(segment, headerBlock.Span);
        file?.Dispose();
        file = disk.Open(WalSegment.Name(segment));
        lock (gate)
        {
            files.Used();
            fileSegment = segment;
        }
    }
}
