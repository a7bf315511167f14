using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Reads the log from its first segment to its last, and writes nothing. <see cref="WalJudge"/> decides for each batch
/// whether the batch is durable, torn or damaged.
/// </summary>
internal sealed class WalReplay(
    IDisk disk, ulong clusterId, ulong memberId, WalExtents extents, WalTerms terms, WalStarts starts) : IDisposable
{
    private readonly List<(long Index, ClusterConfiguration Configuration)> configurations = [];
    private readonly WalSegmentList list = new(disk, clusterId, memberId);

    private AlignedMemory? memory;
    private int lastBatchOffset;
    private string name = "";
    private WalBatchVerdict end;
    private bool isTorn;

    /// <inheritdoc cref="WalOptions.BytesRead"/>
    public Action<long, long>? BytesRead { get; init; }

    /// <summary>Header of the last segment.</summary>
    public WalSegmentHeader Header { get; private set; }

    /// <summary>Salt of the last segment.</summary>
    public uint Salt { get; private set; }

    /// <summary>Offset in the last segment after its last batch.</summary>
    public int Offset { get; private set; }

    /// <summary>
    /// Verified bytes of the last batch, with its padding. Empty if the last segment has no batch. Valid until the
    /// disposal.
    /// </summary>
    public ReadOnlySpan<byte> LastBatch => lastBatchOffset == 0 ? default : memory!.Span[lastBatchOffset..Offset];

    /// <summary>
    /// Offset in the last segment after the last byte that isn't zero. Above <see cref="Offset"/> if the tail is torn
    /// or the file is recycled.
    /// </summary>
    public int TailEnd { get; private set; }

    public LogPosition Last => terms.Last;

    public HardState State { get; private set; }

    public IReadOnlyList<(long Index, ClusterConfiguration Configuration)> Configurations => configurations;

    /// <inheritdoc cref="WalSegmentList.FirstFile"/>
    public long FirstFile => list.FirstFile;

    /// <summary>Number of the segment with which the log begins. Older segments are no part of the log.</summary>
    public long FirstSegment { get; private set; }

    /// <summary>Segments of the log.</summary>
    public int Segments { get; private set; }

    /// <inheritdoc cref="WalSegmentList.FileBytes"/>
    public long FileBytes => list.FileBytes;

    /// <summary>Files of all segments, including those that are no part of the log.</summary>
    public IReadOnlyList<WalSegmentFile> Files => list.Files;

    /// <summary>Batches since the log began; also the number of the last batch.</summary>
    public long Batches { get; private set; }

    /// <summary>Bytes of all batches.</summary>
    public long Bytes { get; private set; }

    /// <summary>True if the last batch is a seal, or there is no batch.</summary>
    public bool IsSealed { get; private set; } = true;

    /// <inheritdoc cref="WalRecovery.CoveredDamage"/>
    public string? CoveredDamage { get; private set; }

    public string? TornTail =>
        isTorn ? $"{name}: an unfinished batch was cut off at byte {Offset}, after entry {terms.Last.Index}" : null;

    /// <summary>
    /// Reads the log. Damage in a segment is passed over if the snapshot covers all entries of the segment. The log
    /// then begins with the first segment after the damage, as if the segments before had been compacted.
    /// </summary>
    /// <param name="snapshot">Last entry that the loaded snapshot covers; (0, 0) without a snapshot.</param>
    /// <exception cref="StorageException">
    /// The log is damaged or another node's, or a segment is missing.
    /// </exception>
    public void Run(LogPosition snapshot)
    {
        int start = list.Find();
        BytesRead?.Invoke(0, FileBytes);
        int counted = 0;
        long read = 0;
        for (int place = Begin(start); place < list.Count; place++)
        {
            try
            {
                ReadSegment(place);
                // Files that are no part of the log count as read.
                while (counted <= place)
                    read += Files[counted++].Bytes;
                BytesRead?.Invoke(read, FileBytes);
            }
            catch (StorageException damage) when (damage.IsDamage)
            {
                // The damage may be at the end of the segment before this one.
                start = list.FindStart(Math.Max(place, start + 1), snapshot);
                if (start < 0)
                    throw;
                CoveredDamage ??= damage.Message;
                place = Begin(start) - 1;
            }
        }
    }

    /// <summary>
    /// True if the log has no entry that matches the last entry of a snapshot (§7), so that the log must be emptied.
    /// The log ends before that entry, or has a conflicting entry that was never committed.
    /// </summary>
    /// <exception cref="StorageException">Entries between snapshot and log are missing.</exception>
    public bool MustReset(LogPosition snapshot)
    {
        if (Segments == 0 && snapshot != default)
        {
            throw StorageException.Unusable(
                WalSegment.Name(1), $"is missing, and a snapshot up to entry {snapshot.Index} is there");
        }
        if (snapshot.Index < terms.Base.Index)
        {
            string found =
                snapshot == default ? "there is no snapshot" : $"the snapshot ends with entry {snapshot.Index}";
            throw StorageException.Unusable(
                WalSegment.Name(FirstSegment), $"begins after entry {terms.Base.Index}, and {found}");
        }
        return !terms.Matches(snapshot);
    }

    public void Dispose()
    {
        memory?.Dispose();
        list.Dispose();
    }

    /// <summary>Forgets everything read so far: the log begins with the segment at this place.</summary>
    private int Begin(int place)
    {
        FirstSegment = place < list.Count ? list[place].Segment : 0;
        (Segments, Batches, Bytes, IsSealed, isTorn) = (0, 0, 0, true, false);
        configurations.Clear();
        extents.Clear();
        starts.Clear();
        list.ForgetNotes();
        return place;
    }

    /// <summary>Memory for one segment, which replaces the bytes of the segment before.</summary>
    private Span<byte> MemoryOf(int bytes)
    {
        if (memory is null || memory.Length < bytes)
        {
            memory?.Dispose();
            memory = new AlignedMemory(bytes);
        }
        return memory.Span[..bytes];
    }

    private void ReadSegment(int place)
    {
        (string file, long segment) = list[place];
        long expected = FirstSegment + Segments;
        if (segment != expected)
            throw StorageException.Unusable(WalSegment.Name(expected), $"is missing, and {file} is there");
        using IDiskFile source = disk.Open(file);
        long bytes = Math.Clamp(source.Length, WalSegmentHeader.Size, WalSegment.BytesMax);
        Span<byte> image = MemoryOf(AlignedMemory.RoundUp((int)bytes));
        image[source.Read(0, image)..].Clear();
        ReadHeader(file, segment, image);
        name = file;
        Segments++;
        ReadBatches(image);
        list.Note(place, Header.Last.Index + 1, terms.Last.Index);
    }

    private void ReadHeader(string file, long segment, ReadOnlySpan<byte> source)
    {
        if (!WalSegmentHeader.TryRead(source, out WalSegmentHeader header, out uint salt, out uint version))
        {
            throw version == 0
                ? StorageException.Damage(file, 0, "the header of the log segment is not intact")
                : new StorageException(
                    $"{file} has format {version}, and this program knows {WalSegmentHeader.Version} only; "
                    + "start the program that wrote it");
        }
        if (header.ClusterId != clusterId || header.MemberId != memberId)
        {
            throw new StorageException(
                $"{file} is of member {header.MemberId} of cluster {header.ClusterId:x16}, "
                + $"not of member {memberId} of cluster {clusterId:x16}; check --id and --data-dir");
        }
        if (header.Segment != segment)
            throw StorageException.Damage(file, 0, $"this is segment {header.Segment}");
        if (Segments == 0)
        {
            if (segment == 1 && header.FirstBatch != 1)
                throw StorageException.Damage(file, 0, $"the log begins with batch {header.FirstBatch}");
            Batches = header.FirstBatch - 1;
            State = header.State;
            terms.Reset(header.Last);
        }
        if (header.FirstBatch != Batches + 1)
            throw end.FollowedBy($"{file} continues with batch {header.FirstBatch}");
        if (header.Last != terms.Last || header.State != State)
        {
            throw StorageException.Damage(file, 0,
                $"the segment continues after entry {header.Last.Index}, "
                + $"and the log before it ends with entry {terms.Last.Index}");
        }
        Header = header;
        Salt = salt;
        starts.Add(new WalStart(segment, header.Last));
    }

    private void ReadBatches(ReadOnlySpan<byte> segment)
    {
        WalJudge judge = new(name, segment, Header, Salt);
        Offset = WalSegmentHeader.Size;
        lastBatchOffset = 0;
        for (end = judge.Check(Offset, Batches + 1); end.IsIntact; end = judge.Check(Offset, Batches + 1))
        {
            WalBatchHeader header = end.Header;
            if (header.Number != Batches + 1)
            {
                throw StorageException.Damage(
                    name, Offset, $"batch {header.Number} is where batch {Batches + 1} should be");
            }
            Apply(segment, header);
            Batches++;
            Bytes += header.BytesOnDisk;
            lastBatchOffset = Offset;
            Offset += header.BytesOnDisk;
            IsSealed = header.Records == 0;
        }
        isTorn = judge.JudgeTail(end, Offset, out int tailEnd);
        TailEnd = tailEnd;
    }

    /// <summary>
    /// Applies the records of an intact batch. If the records contradict the log before them, a bug wrote the batch.
    /// </summary>
    private void Apply(ReadOnlySpan<byte> segment, in WalBatchHeader header)
    {
        int entries = 0;
        int at = Offset + WalBatchHeader.Size;
        int lastRecord = Offset;
        for (RecordHeader record; at < Offset + header.Bytes; at += record.RecordLength)
        {
            DecodeStatus status = Record.TryReadHeader(segment[at..], out record);
            Invariant.Hold(status == DecodeStatus.Complete);
            lastRecord = at;
            if (record.Type == RecordType.HardState)
            {
                bool isState = HardStateRecord.TryRead(segment[at..], record, out HardState state);
                if (!isState || !HardStateOrder.MayFollow(State, state))
                    throw StorageException.Damage(name, at, $"a term or vote can't follow term {State.Term}");
                State = state;
                continue;
            }
            long last = terms.Last.Index;
            long index = record.Position.Index;
            if (!terms.TryAppend(record.Position))
            {
                throw StorageException.Damage(
                    name, at, $"entry {index} of term {record.Position.Term} can't follow entry {last}");
            }
            if (index <= last)
                extents.Truncate(index);
            NoteConfiguration(segment, at, record);
            extents.Add(header.Number, index, at - Offset, leading: entries == 0);
            entries++;
        }
        if (header.Last != terms.Last)
        {
            throw StorageException.Damage(name, lastRecord,
                $"batch {header.Number} ends with entry {terms.Last.Index}, not {header.Last.Index}");
        }
        extents.Place(header.Number, entries, Header.Segment, Offset, header.BytesOnDisk);
    }

    private void NoteConfiguration(ReadOnlySpan<byte> segment, int offset, in RecordHeader record)
    {
        long index = record.Position.Index;
        while (configurations.Count > 0 && configurations[^1].Index >= index)
            configurations.RemoveAt(configurations.Count - 1);
        if (record.Type != RecordType.Configuration)
            return;
        ClusterConfiguration? configuration = ConfigurationRecord.TryRead(Record.Payload(segment[offset..], record));
        if (configuration?.ClusterId != clusterId)
            throw StorageException.Damage(name, offset, $"entry {index} is no configuration of this cluster");
        configurations.Add((index, configuration));
    }
}
