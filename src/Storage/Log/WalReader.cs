using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Reads log entries from the disk. Each of a few buffers holds verified records of a part of an extent, without the
/// batch headers, hard states and padding between them. Loop thread only. The reader opens files of its own.
/// </summary>
internal sealed class WalReader(IDisk disk, WalExtents extents, int recordBytesMax) : IDisposable
{
    /// <summary>
    /// Read-ahead buffers, enough to serve four slow followers without reading anything twice. Each takes a record of
    /// any size.
    /// </summary>
    private readonly Buffer[] buffers =
        [new(recordBytesMax), new(recordBytesMax), new(recordBytesMax), new(recordBytesMax)];

    private AlignedMemory window = new(WalExtents.ExtentBytes);
    private long windowOffset;
    private int windowBytes;
    private long uses;

    public long MemoryBytes
    {
        get
        {
            long bytes = window.Length;
            foreach (Buffer buffer in buffers)
                bytes += buffer.MemoryBytes;
            return bytes;
        }
    }

    public ReadOnlySpan<byte> Read(long first, long last, int bytesMax, out int count)
    {
        Buffer buffer = buffers[0];
        foreach (Buffer candidate in buffers)
        {
            if (candidate.Holds(first))
            {
                candidate.Used = ++uses;
                return candidate.Read(first, last, bytesMax, out count);
            }
            if (candidate.Used < buffer.Used)
                buffer = candidate;
        }
        Fill(buffer, first);
        buffer.Used = ++uses;
        return buffer.Read(first, last, bytesMax, out count);
    }

    public void Truncate(long index)
    {
        foreach (Buffer buffer in buffers)
            buffer.Truncate(index);
    }

    public void Dispose() => window.Dispose();

    private void Fill(Buffer buffer, long first)
    {
        WalExtent extent = extents.Find(first);
        string name = WalSegment.Name(extent.Segment);
        using IDiskFile file = disk.Open(name);
        windowBytes = 0;
        buffer.Clear(first);
        long index = extent.First;
        int batch = extent.BatchOffset;
        int at = extent.RecordOffset;
        while (index <= extent.Last)
        {
            ReadOnlySpan<byte> header = Window(file, batch, IDisk.Alignment);
            int bytes = WalBatchHeader.BytesOf(header);
            if (bytes < WalBatchHeader.Size || bytes > WalSegment.BytesMax)
                throw StorageException.Damage(name, batch, "the header of a batch is not intact");
            ReadOnlySpan<byte> image = Window(file, batch, AlignedMemory.RoundUp(bytes))[..bytes];
            for (int offset = at - batch; offset < bytes && index <= extent.Last;)
            {
                ReadOnlySpan<byte> record = image[offset..];
                bool isWanted = index >= first;
                DecodeStatus status = isWanted
                    ? Record.TryRead(record, out RecordHeader read)
                    : Record.TryReadHeader(record, out read);
                bool isEntry = read.Type != RecordType.HardState;
                if (status != DecodeStatus.Complete || read.RecordLength > record.Length
                    || (isEntry && read.Position.Index != index))
                {
                    throw StorageException.Damage(name, batch + offset, $"the record of entry {index} is not intact");
                }
                if (isEntry && isWanted && !buffer.TryAdd(record[..read.RecordLength]))
                    return;
                if (isEntry)
                    index++;
                offset += read.RecordLength;
            }
            batch += AlignedMemory.RoundUp(bytes);
            at = batch + WalBatchHeader.Size;
        }
    }

    /// <summary>
    /// Bytes of the file, read together with the bytes that follow them, up to the window's size. The window grows to
    /// the largest batch.
    /// </summary>
    private Span<byte> Window(IDiskFile file, int offset, int bytes)
    {
        if (offset < windowOffset || offset + bytes > windowOffset + windowBytes)
        {
            if (bytes > window.Length)
            {
                window.Dispose();
                window = new AlignedMemory(bytes);
            }
            windowOffset = offset;
            windowBytes = window.Length;
            window.Span[file.Read(offset, window.Span)..].Clear();
        }
        return window.Span.Slice((int)(offset - windowOffset), bytes);
    }

    private sealed class Buffer(int capacity)
    {
        private byte[] bytes = [];
        private long first;
        private long end;
        private int length;

        /// <summary>Index at which the last read ended. The next read usually begins there.</summary>
        private long nextIndex;
        private int nextOffset;

        public long Used { get; set; }

        public int MemoryBytes => bytes.Length;

        public bool Holds(long index) => index >= first && index < end;

        public void Clear(long index)
        {
            if (bytes.Length == 0)
                bytes = new byte[capacity];
            first = end = nextIndex = index;
            length = nextOffset = 0;
        }

        public bool TryAdd(ReadOnlySpan<byte> record)
        {
            if (record.Length > bytes.Length - length)
                return false;
            record.CopyTo(bytes.AsSpan(length));
            length += record.Length;
            end++;
            return true;
        }

        public void Truncate(long index) => end = Math.Min(end, Math.Max(index, first));

        public ReadOnlySpan<byte> Read(long index, long last, int bytesMax, out int count)
        {
            if (index < nextIndex)
                (nextIndex, nextOffset) = (first, 0);
            for (; nextIndex < index; nextIndex++)
                nextOffset += LengthAt(nextOffset);
            int start = nextOffset;
            last = Math.Min(last, end - 1);
            for (count = 0; nextIndex <= last; count++, nextIndex++)
            {
                int record = LengthAt(nextOffset);
                if (count > 0 && nextOffset + record - start > bytesMax)
                    break;
                nextOffset += record;
            }
            return bytes.AsSpan(start, nextOffset - start);
        }

        private int LengthAt(int offset) =>
            Record.LengthOf(BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset + 4)));
    }
}
