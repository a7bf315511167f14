using System.Buffers.Binary;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// The latest changes of clients' keys, in the order of the log, in a ring of bytes. The thread that applies entries
/// writes. Readers on any thread cost that thread nothing: a reader copies bytes, then looks whether they were
/// overwritten meanwhile. A position counts bytes since the history began, and never comes again. A change is,
/// little-endian:
/// <code>
///  0  i64  index         of the entry
///  8  i32  value length  bytes
/// 12  u16  key length    bytes
/// 14  u8   kind          ChangeKind
/// 15       zero
/// 16       key, value
/// </code>
/// </summary>
public sealed class ChangeHistory
{
    /// <summary>
    /// Minimum bytes, more than one turn of the loop adds: a MiB and one largest entry, which has a MiB of keys and
    /// values and deletes as many bytes of keys.
    /// </summary>
    public const int BytesMin = 4 * 1024 * 1024;

    /// <summary>
    /// Default bytes: a minute at 1,000 writes a second of 1 KiB each, or ten seconds of small writes from 64
    /// connections at their highest rate. A client has this time to start again.
    /// </summary>
    public const int BytesDefault = 64 * 1024 * 1024;

    /// <summary>
    /// Bytes that are freed at once. Larger steps mean that the fields of <see cref="Read"/> change less often.
    /// </summary>
    private const int FreedAtOnce = 16 * 1024;

    /// <summary>
    /// Bytes between two marks. A reader skips at most these bytes and one entry after <see cref="Find"/>.
    /// </summary>
    private const int MarkDistance = 64 * 1024;

    private readonly byte[] ring;
    private readonly Mark[] marks;

    /// <summary>Odd while the writer changes the fields that <see cref="Read"/> copies.</summary>
    private int version;

    private long tail;
    private long floor;
    private long publishedHead;
    private long publishedIndex;

    /// <summary>End of the last change, published or not. Used by the writer alone, as the fields below.</summary>
    private long head;
    private int headOffset;
    private long headIndex;
    private long lastMark = -MarkDistance;
    private long markCount;

    public ChangeHistory(int bytes)
    {
        Invariant.Hold(bytes >= BytesMin);
        // Memory that no change has reached yet costs address space alone.
        ring = GC.AllocateUninitializedArray<byte>(bytes);
        marks = new Mark[bytes / MarkDistance];
    }

    public int BytesMax => ring.Length;

    /// <summary>Bytes of all changes so far. For the thread that adds them.</summary>
    public long AddedBytes { get; private set; }

    /// <summary>Copies what the history holds. Any thread.</summary>
    public HistoryExtent Read()
    {
        SpinWait wait = default;
        while (true)
        {
            int before = Volatile.Read(ref version);
            HistoryExtent extent = new(floor, tail, publishedIndex, publishedHead);
            Volatile.ReadBarrier();
            if (before % 2 == 0 && Volatile.Read(ref version) == before)
                return extent;
            wait.SpinOnce();
        }
    }

    /// <summary>Finds a place from which the changes after an entry are read. Any thread.</summary>
    /// <param name="after">Index of the entry, at least <see cref="HistoryExtent.Floor"/>.</param>
    /// <returns>Position of a change, or the end. The reader skips changes of older entries there.</returns>
    public long Find(long after, in HistoryExtent extent)
    {
        if (after >= extent.Index)
            return extent.Head;
        long best = extent.Tail;
        foreach (ref Mark mark in marks.AsSpan())
        {
            long position = Volatile.Read(ref mark.Position);
            // The entry at the position tells whether the mark was read whole.
            if (position > best && position < extent.Head && Volatile.Read(ref mark.Index) <= after
                && TryRead(position, out Change change, default) && change.Index <= after)
                best = position;
        }
        return best;
    }

    /// <summary>Copies a change without its value. Any thread.</summary>
    /// <param name="key">Gets the beginning of the key, as much as there is room for.</param>
    /// <returns>False if the change was overwritten.</returns>
    public bool TryRead(long position, out Change change, Span<byte> key)
    {
        Span<byte> header = stackalloc byte[Change.HeaderBytes];
        Copy(position, header);
        change = Change.Read(header);
        // A torn header may hold a longer length than the key's.
        int length = Math.Min(key.Length, change.KeyLength);
        Copy(position + Change.HeaderBytes, key[..length]);
        return IsKept(position);
    }

    /// <summary>Copies a part of a value. Any thread.</summary>
    /// <returns>False if the change was overwritten.</returns>
    public bool TryReadValue(long position, in Change change, int offset, Span<byte> part)
    {
        Copy(position + Change.HeaderBytes + change.KeyLength + offset, part);
        return IsKept(position);
    }

    /// <summary>Adds a change by the entry. Readers see the change once the entry is published.</summary>
    public void Add(ChangeKind kind, long index, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Invariant.Hold(index >= headIndex);
        int bytes = Change.HeaderBytes + key.Length + value.Length;
        Invariant.Hold(bytes <= ring.Length - FreedAtOnce);
        if (head + bytes - tail > ring.Length)
            Free(head + bytes + FreedAtOnce - ring.Length);
        if (index > headIndex && head - lastMark >= MarkDistance)
            SetMark(index);
        headIndex = index;
        Span<byte> header = stackalloc byte[Change.HeaderBytes];
        new Change(index, kind, key.Length, value.Length).Write(header);
        Append(header);
        Append(key);
        Append(value);
        head += bytes;
        AddedBytes += bytes;
    }

    /// <summary>Shows readers the changes of all entries up to this one, which is applied whole.</summary>
    public void Publish(long index)
    {
        Invariant.Hold(index >= publishedIndex);
        BeginChange();
        publishedHead = head;
        publishedIndex = index;
        EndChange();
    }

    /// <summary>Forgets everything: the state at this index replaces the former. Readers lose their place.</summary>
    public void Reset(long index)
    {
        // One round of the ring further, no reader's position is valid, and the next byte has the same place.
        head += ring.Length;
        headIndex = index;
        lastMark = head - MarkDistance;
        BeginChange();
        tail = publishedHead = head;
        floor = publishedIndex = index;
        EndChange();
    }

    /// <summary>Forgets the oldest changes, up to a position, or to the end of the change at that position.</summary>
    private void Free(long to)
    {
        long position = tail;
        long index = floor;
        Span<byte> header = stackalloc byte[Change.HeaderBytes];
        while (position < to && position < head)
        {
            Copy(position, header);
            Change change = Change.Read(header);
            index = change.Index;
            position += change.Length;
        }
        BeginChange();
        // Later changes of this entry may be kept, but the entry is no longer complete.
        floor = index;
        tail = position;
        EndChange();
        // Readers see the new tail before any byte is overwritten.
        Volatile.WriteBarrier();
    }

    private void BeginChange()
    {
        Volatile.Write(ref version, version + 1);
        Volatile.WriteBarrier();
    }

    private void EndChange() => Volatile.Write(ref version, version + 1);

    private void SetMark(long index)
    {
        ref Mark mark = ref marks[markCount++ % marks.Length];
        Volatile.Write(ref mark.Index, index);
        Volatile.Write(ref mark.Position, head);
        lastMark = head;
    }

    private bool IsKept(long position)
    {
        Volatile.ReadBarrier();
        return Volatile.Read(ref tail) <= position;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        int toEnd = Math.Min(bytes.Length, ring.Length - headOffset);
        bytes[..toEnd].CopyTo(ring.AsSpan(headOffset));
        bytes[toEnd..].CopyTo(ring);
        headOffset += bytes.Length;
        if (headOffset >= ring.Length)
            headOffset -= ring.Length;
    }

    private void Copy(long position, Span<byte> bytes)
    {
        int offset = (int)(position % ring.Length);
        int toEnd = Math.Min(bytes.Length, ring.Length - offset);
        ring.AsSpan(offset, toEnd).CopyTo(bytes);
        ring.AsSpan(0, bytes.Length - toEnd).CopyTo(bytes[toEnd..]);
    }

    /// <summary>The first change of an entry.</summary>
    private struct Mark
    {
        public long Index;
        public long Position;
    }
}

/// <summary>Contents of a <see cref="ChangeHistory"/>: every change of the entries after Floor up to Index.</summary>
/// <param name="Floor">Changes of this entry, or of earlier ones, may be missing.</param>
/// <param name="Tail">Position of the oldest change.</param>
/// <param name="Index">Last entry whose changes are shown.</param>
/// <param name="Head">End of the last change of that entry, and the place of the next one.</param>
public readonly record struct HistoryExtent(long Floor, long Tail, long Index, long Head);

/// <summary>A change of one key by the entry at <see cref="Index"/>, without key and value.</summary>
public readonly record struct Change(long Index, ChangeKind Kind, int KeyLength, int ValueLength)
{
    internal const int HeaderBytes = 16;

    /// <summary>Bytes in the history.</summary>
    public int Length => HeaderBytes + KeyLength + ValueLength;

    internal void Write(Span<byte> header)
    {
        BinaryPrimitives.WriteInt64LittleEndian(header, Index);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], ValueLength);
        BinaryPrimitives.WriteUInt16LittleEndian(header[12..], (ushort)KeyLength);
        header[14] = (byte)Kind;
        header[15] = 0;
    }

    internal static Change Read(ReadOnlySpan<byte> header) => new(
        BinaryPrimitives.ReadInt64LittleEndian(header), (ChangeKind)header[14],
        BinaryPrimitives.ReadUInt16LittleEndian(header[12..]), BinaryPrimitives.ReadInt32LittleEndian(header[8..]));
}

public enum ChangeKind : byte
{
    Put = 1,
    Delete = 2,

    /// <summary>The key's time to live has passed.</summary>
    Expire = 3,
}
