using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Reads the log from its first segment to its last and writes nothing. One write is one batch, and a batch is begun only when the one
/// before it is durable. So if a batch is not intact and nothing later is there, it was never durable, nobody was told of it, and all of
/// it is dropped; if anything later is there, it was durable once, and the log is damaged. The header of a segment is durable before
/// its file has a name, so a damaged one is never a torn one.
/// </summary>
internal sealed class WalReplay(IDisk disk, ulong clusterId, ulong memberId, WalExtents extents, WalTerms terms, WalStarts starts)
{
    private readonly List<(long Index, ClusterConfiguration Configuration)> configurations = [];
    private readonly List<WalSegmentFile> files = [];

    private string name = "";
    private string damage = "";
    private long damageOffset;
    private int searchOffset;
    private bool isBegun;
    private bool isTorn;

    /// <summary>Of the last segment.</summary>
    public WalSegmentHeader Header { get; private set; }

    public uint Salt { get; private set; }

    /// <summary>In the last segment, behind its last batch.</summary>
    public int Offset { get; private set; }

    /// <summary>In the last segment, behind the last byte that isn't zero; above <see cref="Offset"/> if the tail is torn, or the file a recycled one.</summary>
    public int TailEnd { get; private set; }

    public LogPosition Last => terms.Last;

    public HardState State { get; private set; }

    public IReadOnlyList<(long Index, ClusterConfiguration Configuration)> Configurations => configurations;

    /// <summary>Number of the first segment whose file is there; 0: none.</summary>
    public long FirstFile { get; private set; }

    /// <summary>Number of the segment with which the log begins. Older ones are no part of it.</summary>
    public long FirstSegment { get; private set; }

    /// <summary>Of the log.</summary>
    public int Segments { get; private set; }

    /// <summary>Of all segments' files.</summary>
    public long FileBytes { get; private set; }

    /// <summary>All segments' files, of the log or done with.</summary>
    public IReadOnlyList<WalSegmentFile> Files => files;

    /// <summary>Also the number of the last one.</summary>
    public long Batches { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Whether the last batch is a seal, or there is none.</summary>
    public bool IsSealed { get; private set; } = true;

    public string? TornTail =>
        isTorn ? $"{name}: an unfinished batch was cut off at byte {Offset}, behind entry {terms.Last.Index}" : null;

    /// <exception cref="StorageException">Damage, a missing segment, or another node's log.</exception>
    public void Run()
    {
        foreach ((string file, long segment) in FindSegments())
            ReadSegment(file, segment);
    }

    /// <summary>
    /// Whether the log has no entry that matches the last one of a snapshot (§7): it ends before, or what it has there was never
    /// committed. Then it is to be emptied. Snapshot and log are consistent only if nothing is missing between them.
    /// </summary>
    /// <exception cref="StorageException">Entries are missing.</exception>
    public bool MustReset(LogPosition snapshot)
    {
        if (Segments == 0 && snapshot != default)
            throw StorageException.Unusable(WalSegment.Name(1), $"is missing, and a snapshot up to entry {snapshot.Index} is there");
        if (snapshot.Index < terms.Base.Index)
        {
            throw StorageException.Unusable(WalSegment.Name(FirstSegment),
                $"goes on behind entry {terms.Base.Index}, and {(snapshot == default ? "there is no snapshot" : $"the snapshot ends with entry {snapshot.Index}")}");
        }
        return !terms.Matches(snapshot);
    }

    /// <summary>The segments from the last with which the log restarts, or all.</summary>
    private List<(string Name, long Segment)> FindSegments()
    {
        List<(string Name, long Segment)> segments = [];
        foreach (string file in disk.List())
        {
            if (WalSegment.TryParseName(file, out long segment))
                segments.Add((file, segment));
        }
        if (segments.Count > 0)
            FirstFile = segments[0].Segment;
        using AlignedMemory block = new(WalSegmentHeader.Size);
        int start = 0;
        for (int i = segments.Count - 1; i >= 0; i--)
        {
            using IDiskFile source = disk.Open(segments[i].Name);
            FileBytes += source.Length;
            files.Insert(0, new WalSegmentFile(segments[i].Name, source.Length, 0, 0));
            if (start > 0)
                continue;
            block.Span[source.Read(0, block.Span)..].Clear();
            if (WalSegmentHeader.TryRead(block.Span, out WalSegmentHeader header, out _, out _) && header.Resets)
                start = i;
        }
        segments.RemoveRange(0, start);
        if (segments.Count > 0)
            FirstSegment = segments[0].Segment;
        return segments;
    }

    private void ReadSegment(string file, long segment)
    {
        if (segment != FirstSegment + Segments)
            throw StorageException.Unusable(WalSegment.Name(FirstSegment + Segments), $"is missing, and {file} is there");
        using IDiskFile source = disk.Open(file);
        using AlignedMemory memory = new(AlignedMemory.RoundUp((int)Math.Clamp(source.Length, WalSegmentHeader.Size, WalSegment.BytesMax)));
        memory.Span[source.Read(0, memory.Span)..].Clear();
        ReadHeader(file, segment, memory.Span);
        name = file;
        Segments++;
        ReadBatches(memory.Span);
        FindTail(memory.Span);
        int place = files.FindIndex(found => found.Name == file);
        files[place] = files[place] with { FirstIndex = Header.Last.Index + 1, LastIndex = terms.Last.Index };
    }

    private void ReadHeader(string file, long segment, ReadOnlySpan<byte> source)
    {
        if (!WalSegmentHeader.TryRead(source, out WalSegmentHeader header, out uint salt, out uint version))
        {
            throw version == 0
                ? StorageException.Damage(file, 0, "this is no header of a log segment")
                : new StorageException($"{file} has format {version}, and this program knows {WalSegmentHeader.Version} only; start the program that wrote it");
        }
        if (header.ClusterId != clusterId || header.MemberId != memberId)
        {
            throw new StorageException(
                $"{file} is of member {header.MemberId} of cluster {header.ClusterId:x16}, not of member {memberId} of cluster {clusterId:x16}; check --id and --data-dir");
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
        {
            throw Damage($"{damage}, and {file} goes on with batch {header.FirstBatch}");
        }
        if (header.Last != terms.Last || header.State != State)
            throw StorageException.Damage(file, 0, $"it goes on behind entry {header.Last.Index}, and the log before it ends with entry {terms.Last.Index}");
        Header = header;
        Salt = salt;
        starts.Add(new WalStart(segment, header.Last));
    }

    private void ReadBatches(ReadOnlySpan<byte> segment)
    {
        Offset = WalSegmentHeader.Size;
        while (IsIntact(segment, out WalBatchHeader header))
        {
            if (header.Number != Batches + 1)
                throw StorageException.Damage(name, Offset, $"batch {header.Number} is where batch {Batches + 1} should be");
            Apply(segment, header);
            Batches++;
            Bytes += header.BytesOnDisk;
            Offset += header.BytesOnDisk;
            IsSealed = header.Records == 0;
        }
    }

    /// <returns>False with <see cref="damage"/> said.</returns>
    private bool IsIntact(ReadOnlySpan<byte> segment, out WalBatchHeader header)
    {
        damageOffset = Offset;
        searchOffset = Offset + IDisk.Alignment;
        damage = $"batch {Batches + 1} is not there";
        isBegun = TryReadBatch(segment, Offset, out header);
        if (!isBegun)
            return false;
        searchOffset = Offset + header.BytesOnDisk;
        int at = Offset + WalBatchHeader.Size;
        int end = Offset + header.Bytes;
        uint checksum = 0;
        for (int i = 0; i < header.Records; i++)
        {
            if (Record.TryRead(segment[at..end], out RecordHeader record) != DecodeStatus.Complete)
            {
                damageOffset = at;
                damage = $"record {i + 1} of batch {Batches + 1} is not intact";
                return false;
            }
            checksum = Crc32C.Append(checksum, segment.Slice(at, Record.HeaderSize));
            at += record.RecordLength;
        }
        damage = $"the records of batch {Batches + 1} are not those that it began with";
        return at == end && checksum == header.RecordsChecksum;
    }

    /// <summary>A batch that the file holds from a time when it was another segment doesn't count: its number is below this one's first.</summary>
    private bool TryReadBatch(ReadOnlySpan<byte> segment, int offset, out WalBatchHeader header) =>
        WalBatchHeader.TryRead(segment, offset, Salt, out header) && header.Number >= Header.FirstBatch;

    /// <summary>The batch is as it was written. What it says must make sense, or a bug wrote it.</summary>
    private void Apply(ReadOnlySpan<byte> segment, in WalBatchHeader header)
    {
        int entries = 0;
        for (int at = Offset + WalBatchHeader.Size; at < Offset + header.Bytes;)
        {
            DecodeStatus status = Record.TryReadHeader(segment[at..], out RecordHeader record);
            Invariant.Hold(status == DecodeStatus.Complete);
            damageOffset = at;
            if (record.Type == RecordType.HardState)
            {
                if (!HardStateRecord.TryRead(segment[at..], record, out HardState state) || !HardStateOrder.MayFollow(State, state))
                    throw Damage($"a term or vote can't follow term {State.Term}");
                State = state;
            }
            else
            {
                long last = terms.Last.Index;
                if (!terms.TryAppend(record.Position))
                    throw Damage($"entry {record.Position.Index} of term {record.Position.Term} can't follow entry {last}");
                if (record.Position.Index <= last)
                    extents.Truncate(record.Position.Index);
                NoteConfiguration(segment[at..], record);
                extents.Add(header.Number, record.Position.Index, at - Offset, leading: entries == 0);
                entries++;
            }
            at += record.RecordLength;
        }
        if (header.Last != terms.Last)
            throw Damage($"batch {header.Number} ends with entry {terms.Last.Index}, not {header.Last.Index}");
        extents.Place(header.Number, entries, Header.Segment, Offset, header.BytesOnDisk);
    }

    private void NoteConfiguration(ReadOnlySpan<byte> source, in RecordHeader record)
    {
        long index = record.Position.Index;
        while (configurations.Count > 0 && configurations[^1].Index >= index)
            configurations.RemoveAt(configurations.Count - 1);
        if (record.Type != RecordType.Configuration)
            return;
        if (ConfigurationRecord.TryRead(Record.Payload(source, record)) is not { } configuration || configuration.ClusterId != clusterId)
            throw Damage($"entry {index} is no configuration of this cluster");
        configurations.Add((index, configuration));
    }

    private void FindTail(ReadOnlySpan<byte> segment)
    {
        TailEnd = Offset + segment[Offset..].LastIndexOfAnyExcept((byte)0) + 1;
        isTorn = TailEnd > Offset && (isBegun || !Header.HoldsOldBytes);
        for (int at = searchOffset; at < TailEnd; at += IDisk.Alignment)
        {
            if (TryReadBatch(segment, at, out WalBatchHeader later))
                throw Damage($"{damage}, and batch {later.Number} follows at byte {at}");
        }
    }

    private StorageException Damage(string what) => StorageException.Damage(name, damageOffset, what);
}
