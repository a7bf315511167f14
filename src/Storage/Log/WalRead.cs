using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Reads entries that are no longer in memory: verified records, without the batch headers, hard states and padding
/// between them. The loop begins and ends a read (<see cref="Wal.BeginRead"/>, <see cref="Wal.TryEndRead"/>). In
/// between, one other thread calls <see cref="Step"/> until it returns false. An object reads again and again.
/// <para>
/// A read does not keep its segment. A compaction may delete the file meanwhile, or make it the next segment, whose
/// bytes are then read. The loop alone compacts, so a segment that is needed at the end was needed all the time.
/// <see cref="Wal.TryEndRead"/> gives up what was read in any other segment.
/// </para>
/// </summary>
public sealed class WalRead : IDisposable
{
    private readonly IDisk disk;

    /// <summary>Bytes of <see cref="records"/>: a record of any size fits.</summary>
    private readonly int capacity;

    private byte[] records = [];
    private int length;
    private int bytesMax;

    private WalExtent extent;
    private Place place;

    private IDiskFile? file;
    private AlignedMemory? window;
    private int windowOffset;
    private int windowBytes;

    internal WalRead(IDisk disk, int recordBytesMax)
    {
        this.disk = disk;
        capacity = recordBytesMax;
    }

    /// <summary>Index of the first entry.</summary>
    public long First { get; private set; }

    /// <summary>Number of entries read.</summary>
    public int Count { get; private set; }

    /// <summary>Position of the last entry read.</summary>
    public LogPosition Last { get; private set; }

    /// <summary>The entries' records.</summary>
    public ReadOnlySpan<byte> Records => records.AsSpan(0, length);

    internal long Segment => extent.Segment;

    /// <summary>The disk failed, or the bytes read are no intact records.</summary>
    internal StorageException? Failure { get; private set; }

    /// <summary>Any thread.</summary>
    internal long MemoryBytes => records.Length + (window?.Length ?? 0);

    /// <param name="bytesMax">Maximum bytes of all records. One record is read even if it is larger.</param>
    /// <param name="before">A read that may have ended before the first entry.</param>
    internal void Begin(in WalExtent extent, long first, int bytesMax, WalRead before)
    {
        // The places of an extent's entries never change. A follower's next read begins where the last one ended.
        bool continues = before.EndedBefore(first) && extent.Holds(before.Segment, before.place.At);
        place = continues ? before.place : new Place
        {
            Next = extent.First,
            At = extent.RecordOffset,
            NextBatch = extent.BatchOffset,
        };
        this.extent = extent;
        this.bytesMax = Math.Min(bytesMax, capacity);
        First = first;
        Count = 0;
        length = 0;
        Failure = null;
        windowBytes = 0;
    }

    /// <summary>True if a read from this entry on continues where the last one ended.</summary>
    public bool EndedBefore(long first) => Failure is null && place.Next == first;

    /// <summary>Opens the file, or reads on to the end of a batch. Blocks while the disk reads.</summary>
    /// <returns>True while there is more to read.</returns>
    public bool Step()
    {
        try
        {
            if (file is null)
            {
                file = disk.Open(WalSegment.Name(extent.Segment));
                return true;
            }
            if (ReadBatch())
                return true;
        }
        catch (StorageException failure)
        {
            Failure = failure;
        }
        file?.Dispose();
        file = null;
        return false;
    }

    /// <summary>No thread may be in <see cref="Step"/>.</summary>
    public void Dispose()
    {
        file?.Dispose();
        window?.Dispose();
    }

    /// <returns>False if no more entries are wanted.</returns>
    private bool ReadBatch()
    {
        if (place.At >= place.BatchEnd)
            BeginBatch();
        while (place.At < place.BatchEnd && place.Next <= extent.Last)
        {
            bool isWanted = place.Next >= First;
            RecordHeader header = ReadRecord(isWanted);
            bool isEntry = header.Type != RecordType.HardState;
            if (isEntry && isWanted && !TryAdd(header))
                return false;
            if (isEntry)
                place.Next++;
            place.At += header.RecordLength;
        }
        return place.Next <= extent.Last;
    }

    private void BeginBatch()
    {
        int bytes = WalBatchHeader.BytesOf(Window(place.NextBatch, WalBatchHeader.Size));
        if (bytes < WalBatchHeader.Size || bytes > WalSegment.BytesMax - place.NextBatch)
            throw Damage(place.NextBatch, "the header of a batch is not intact");
        place.At = Math.Max(place.At, place.NextBatch + WalBatchHeader.Size);
        place.BatchEnd = place.NextBatch + bytes;
        place.NextBatch += AlignedMemory.RoundUp(bytes);
    }

    private RecordHeader ReadRecord(bool isWanted)
    {
        DecodeStatus status = Record.TryReadHeader(Window(place.At, Record.HeaderSize), out RecordHeader header);
        bool isIntact = status == DecodeStatus.Complete
            && header.RecordLength <= place.BatchEnd - place.At
            && header.RecordLength <= capacity
            && (header.Type == RecordType.HardState || header.Position.Index == place.Next);
        if (isIntact && isWanted)
            isIntact = Record.TryRead(Window(place.At, header.RecordLength), out _) == DecodeStatus.Complete;
        return isIntact ? header : throw Damage(place.At, $"the record of entry {place.Next} is not intact");
    }

    private bool TryAdd(in RecordHeader header)
    {
        if (Count > 0 && header.RecordLength > bytesMax - length)
            return false;
        if (records.Length == 0)
            records = new byte[capacity];
        Window(place.At, header.RecordLength).CopyTo(records.AsSpan(length));
        length += header.RecordLength;
        Count++;
        Last = header.Position;
        return true;
    }

    /// <summary>
    /// Bytes of the file, read together with the bytes that follow them, up to the window's size. The window grows to
    /// the largest record.
    /// </summary>
    private ReadOnlySpan<byte> Window(int offset, int bytes)
    {
        if (offset < windowOffset || offset + bytes > windowOffset + windowBytes)
        {
            windowOffset = offset & -IDisk.Alignment;
            int needed = AlignedMemory.RoundUp(offset + bytes - windowOffset);
            if (window is null || needed > window.Length)
            {
                window?.Dispose();
                window = new AlignedMemory(Math.Max(needed, WalExtents.ExtentBytes));
            }
            windowBytes = window.Length;
            window.Span[file!.Read(windowOffset, window.Span)..].Clear();
        }
        return window!.Span.Slice(offset - windowOffset, bytes);
    }

    private StorageException Damage(int offset, string what) =>
        StorageException.Damage(WalSegment.Name(extent.Segment), offset, what);

    private struct Place
    {
        /// <summary>Index of the entry at <see cref="At"/>.</summary>
        public long Next;

        /// <summary>Offset of the next record.</summary>
        public int At;

        /// <summary>Offset after the last record of the batch that holds the last record read.</summary>
        public int BatchEnd;

        /// <summary>Offset of the next batch.</summary>
        public int NextBatch;
    }
}
