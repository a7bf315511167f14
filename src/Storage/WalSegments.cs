using RaftFast.Protocol;

namespace RaftFast.Storage;

/// <summary>
/// The segment that is being written, and the one prepared to follow it. A place is given when a batch is taken and used when it is
/// written: between the two the log is in the next segment already, and its file isn't.
/// </summary>
internal sealed class WalSegments : IDisposable
{
    private readonly IDisk disk;
    private readonly long segmentBytes;
    private readonly int reserveBytes;
    private readonly Lock gate;
    private readonly Lock preparing = new();
    private readonly AlignedMemory headerBlock = new(WalSegmentHeader.Size);
    private WalSegmentHeader header;
    private LogPosition last;
    private HardState state;
    private int offset;
    private long fileSegment;
    private IDiskFile? file;
    private volatile bool isPrepared;
    private volatile bool diskIsFull;

    private WalSegments(IDisk disk, WalSegmentHeader header, WalOptions options, WalReplay replay, Lock gate)
    {
        this.disk = disk;
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
    public static WalSegments Open(IDisk disk, ulong clusterId, ulong memberId, WalOptions options, WalReplay replay, Lock gate)
    {
        if (disk.Exists(WalSegment.NextName))
            disk.Delete(WalSegment.NextName);
        WalSegmentHeader header = replay.Segments > 0
            ? replay.Header
            : new WalSegmentHeader { ClusterId = clusterId, MemberId = memberId };
        WalSegments segments = new(disk, header, options, replay, gate);
        if (replay.Segments > 0)
        {
            segments.file = disk.Open(WalSegment.Name(header.Segment));
            WalTail.Clear(segments.file, replay.Offset, replay.TailEnd, header.SegmentBytes);
        }
        else
        {
            segments.BeginSegment(1);
            segments.Roll(1);
        }
        return segments;
    }

    /// <summary>Of the segment in which the last place was given.</summary>
    public uint Salt { get; private set; }

    public bool IsPrepared => isPrepared;

    public bool DiskIsFull => diskIsFull;

    /// <summary>
    /// Whether batches of so many bytes, none above <paramref name="batchBytesMax"/>, are sure to find a place. They fill the present
    /// segment until one doesn't fit, which wastes less than that one's size, and go on in the next, if it is there: then a full disk
    /// can't stop them.
    /// </summary>
    public bool HasRoom(long bytes, int batchBytesMax)
    {
        bool isRolling = fileSegment != header.Segment;
        if (isRolling && !isPrepared)
            return false;
        long present = header.SegmentBytes - offset - reserveBytes;
        if (bytes <= present)
            return true;
        // The reserve moves on into the next segment.
        long next = segmentBytes - WalSegmentHeader.Size - reserveBytes;
        return isPrepared && !isRolling && bytes <= Math.Max(0, header.SegmentBytes - offset - batchBytesMax) + next;
    }

    /// <summary>Whether a batch can be written without making a file. Under the gate.</summary>
    public bool HasPlace(int bytes) => Fits(bytes) || isPrepared;

    /// <summary>The place of a batch. If it is in a new segment, that one's header tells of the log before the batch. Under the gate.</summary>
    public (long Segment, int Offset) Place(int bytes, long batch)
    {
        if (!Fits(bytes))
            BeginSegment(batch);
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

    /// <summary>Background thread. Compaction will rename a segment that it has done with instead of making a file: nothing in it passes for a batch under a new salt.</summary>
    /// <returns>False when the disk is full.</returns>
    public bool TryPrepare()
    {
        lock (preparing)
        {
            if (!isPrepared)
            {
                try
                {
                    disk.Create(WalSegment.NextName, segmentBytes).Dispose();
                    isPrepared = true;
                    diskIsFull = false;
                }
                catch (DiskFullException)
                {
                    diskIsFull = true;
                }
            }
            return isPrepared;
        }
    }

    public void Dispose()
    {
        file?.Dispose();
        headerBlock.Dispose();
    }

    private bool Fits(int bytes) => bytes <= header.SegmentBytes - offset;

    private void BeginSegment(long batch)
    {
        header = header with
        {
            Segment = header.Segment + 1,
            SegmentBytes = segmentBytes,
            FirstBatch = batch,
            Last = last,
            State = state,
        };
        Salt = header.Write(headerBlock.Span);
        offset = WalSegmentHeader.Size;
    }

    /// <summary>The header is durable before the name is, so a segment's header is never torn.</summary>
    private void Roll(long segment)
    {
        Invariant.Hold(segment == fileSegment + 1);
        lock (preparing)
        {
            if (!TryPrepare())
                throw new StorageException($"the disk has no room for {WalSegment.Name(segment)} ({segmentBytes} bytes); free some space, then start again");
            using (IDiskFile next = disk.Open(WalSegment.NextName))
                next.Write(0, headerBlock.Span);
            disk.Rename(WalSegment.NextName, WalSegment.Name(segment));
            disk.SyncDirectory();
            file?.Dispose();
            file = disk.Open(WalSegment.Name(segment));
            lock (gate)
            {
                isPrepared = false;
                fileSegment = segment;
            }
        }
    }
}
