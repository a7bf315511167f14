using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Snapshots;

public enum SnapshotReadStatus
{
    /// <summary>Another chunk was read.</summary>
    Chunk,

    /// <summary>The footer was read: the snapshot is complete and intact.</summary>
    End,

    /// <summary>
    /// The file can't be used: <see cref="SnapshotReader.Damage"/> says why. Discard the chunks read before.
    /// </summary>
    Damaged,
}

/// <summary>
/// Reads a snapshot from its header on, chunk by chunk, and verifies all of it. One thread at a time.
/// </summary>
public sealed class SnapshotReader : IDisposable
{
    private readonly IDiskFile file;
    private readonly string name;
    private readonly SnapshotHeader header;
    private readonly byte[] configuration = [];
    private readonly AlignedMemory window = new(SnapshotChunk.BytesMax);
    private long windowOffset;
    private int windowBytes;
    private int imageBytes;
    private bool isAtEnd;

    /// <param name="clusterId">Cluster that the snapshot must belong to; null to read a backup of any cluster.</param>
    internal SnapshotReader(IDisk disk, string name, ulong? clusterId)
    {
        this.name = name;
        file = disk.Open(name);
        DecodeStatus status = SnapshotHeader.TryRead(Window(window.Length), out header, out uint version);
        Version = (int)version;
        if (version > SnapshotHeader.VersionMax)
        {
            Refusal = $"{name} has format {version}, and this program knows up to {SnapshotHeader.VersionMax}; "
                + "start the program that wrote it";
        }
        else if (status != DecodeStatus.Complete)
            Damage = DamageAt(0, "the header of a snapshot is missing or damaged");
        else if (header.IsBackup && clusterId is not null)
            Refusal = $"{name} is a backup; use raftfast restore to put it into an empty directory";
        else if (clusterId is not null && header.ClusterId != clusterId)
            Refusal = $"{name} is of cluster {header.ClusterId:x16}, not of cluster {clusterId:x16}; check --data-dir";
        Damage ??= Refusal;
        if (Damage is not null)
            return;
        End = imageBytes = header.BytesOnDisk;
        configuration = header.Configuration(Image).ToArray();
    }

    public ulong ClusterId => header.ClusterId;

    public ulong Nonce => header.Nonce;

    /// <summary>Version of the format.</summary>
    public int Version { get; }

    /// <summary>The snapshot's file; null while the snapshot is being received.</summary>
    public SnapshotFile? File => SnapshotFile.TryParseName(name, out SnapshotFile named) ? named : null;

    /// <summary>Position of the last log entry that the snapshot covers.</summary>
    public LogPosition Position => header.Position;

    /// <summary>
    /// The cluster's configuration at this entry, as it was given to <see cref="SnapshotStore.TryCreate"/>.
    /// </summary>
    public ReadOnlySpan<byte> Configuration => configuration;

    /// <summary>
    /// Text for an operator: which file is damaged, at which byte, and how. Null while no damage was found.
    /// </summary>
    public string? Damage { get; private set; }

    /// <summary>
    /// Bytes of the header, chunk or footer that was read last, as they are on the disk and on the wire. Empty after a
    /// skip. Valid until the next read.
    /// </summary>
    public ReadOnlySpan<byte> Image =>
        Damage is null ? window.Span.Slice((int)(Offset - windowOffset), imageBytes) : default;

    /// <summary>Payload of the chunk read last. Valid until the next read.</summary>
    public ReadOnlySpan<byte> Payload => Chunk.PayloadLength == 0 ? default : Chunk.Payload(Image);

    /// <summary>The chunk read last.</summary>
    public SnapshotChunk Chunk { get; private set; }

    /// <summary>
    /// Text for an operator, if the file is intact but is of another version or cluster, or is a backup; else null.
    /// </summary>
    internal string? Refusal { get; }

    internal SnapshotHeader Header => header;

    /// <summary>Entries in the chunks read so far.</summary>
    public long Entries => Totals.Entries;

    /// <summary>Totals of the chunks read so far.</summary>
    internal SnapshotFooter Totals { get; private set; }

    /// <summary>Offset of the part read last.</summary>
    internal long Offset { get; private set; }

    /// <summary>Offset after the part read last; after the footer, the file's length.</summary>
    public long End { get; private set; }

    /// <summary>Bytes of the whole file.</summary>
    public long FileBytes => file.Length;

    /// <summary>
    /// Number of entries according to the footer, for a caller that prepares memory for them. 0 while the file has no
    /// intact footer.
    /// </summary>
    /// <exception cref="StorageException">The file can't be read.</exception>
    public long EntriesInAll()
    {
        using AlignedMemory block = new(SnapshotFooter.BytesOnDisk);
        long length = file.Length;
        if (Damage is not null || length % IDisk.Alignment != 0 || length < End + SnapshotFooter.BytesOnDisk)
            return 0;
        block.Span[file.Read(length - SnapshotFooter.BytesOnDisk, block.Span)..].Clear();
        return SnapshotFooter.TryRead(block.Span, header.Salt, out SnapshotFooter footer) == DecodeStatus.Complete
            ? Math.Clamp(footer.Entries, 0, length / SnapshotEntry.HeaderSize)
            : 0;
    }

    /// <summary>Reads the next chunk or the footer. Not to be called after the footer.</summary>
    /// <exception cref="StorageException">The file can't be read.</exception>
    public SnapshotReadStatus Read() => Read(isWanted: true);

    /// <summary>
    /// Skips all chunks up to this one, and reads only their headers: the receiver has these chunks already.
    /// </summary>
    /// <param name="sequence">Number of the last chunk to skip; 0 to skip none.</param>
    /// <returns>False if the file is damaged, or has no such chunk.</returns>
    public bool TrySkipTo(int sequence)
    {
        while (Totals.Chunks < sequence)
        {
            if (Read(isWanted: false) != SnapshotReadStatus.Chunk)
                return false;
        }
        return Damage is null && Totals.Chunks == sequence;
    }

    /// <summary>Returns to the header of the same file, even if the file was renamed or deleted meanwhile.</summary>
    /// <exception cref="StorageException">The file can't be read.</exception>
    public void Rewind()
    {
        if (Damage is not null)
            return;
        (Offset, windowOffset, windowBytes) = (0, 0, 0);
        (Chunk, Totals, isAtEnd) = (default, default, false);
        End = imageBytes = header.BytesOnDisk;
        DecodeStatus status = SnapshotHeader.TryRead(Window(imageBytes), out SnapshotHeader again, out _);
        if (status != DecodeStatus.Complete || again != header)
            Damage = DamageAt(0, "the header has changed since it was first read");
    }

    /// <summary>Reports damage if the header's last entry isn't this entry, which the file's name gives.</summary>
    internal void Expect(long index)
    {
        if (Damage is null && header.Position.Index != index)
            Damage = DamageAt(0, $"its name says entry {index}, and its header entry {header.Position.Index}");
    }

    public void Dispose()
    {
        file.Dispose();
        window.Dispose();
    }

    private SnapshotReadStatus Read(bool isWanted)
    {
        if (Damage is not null)
            return SnapshotReadStatus.Damaged;
        Invariant.Hold(!isAtEnd);
        (Offset, imageBytes, Chunk) = (End, 0, default);
        ReadOnlySpan<byte> source = Window(IDisk.Alignment);
        if (SnapshotChunk.TryReadHeader(source, header.Salt, out SnapshotChunk chunk) == DecodeStatus.Complete)
        {
            source = isWanted ? Window(chunk.BytesOnDisk) : source;
            if (isWanted && SnapshotChunk.TryRead(source, header.Salt, out _) != DecodeStatus.Complete)
                return Damaged($"chunk {chunk.Sequence} is not intact");
            if (chunk.Sequence != Totals.Chunks + 1)
                return Damaged($"chunk {chunk.Sequence} is where chunk {Totals.Chunks + 1} should be");
            Totals = Totals.Add(chunk, source);
            End = Offset + chunk.BytesOnDisk;
            if (isWanted)
                (Chunk, imageBytes) = (chunk, chunk.BytesOnDisk);
            return SnapshotReadStatus.Chunk;
        }
        if (SnapshotFooter.TryRead(source, header.Salt, out SnapshotFooter footer) != DecodeStatus.Complete)
            return Damaged($"there is neither chunk {Totals.Chunks + 1} nor a footer");
        if (footer != Totals)
        {
            return Damaged(
                $"the footer counts {footer.Chunks} chunks with {footer.Entries} entries, "
                + $"and the file has {Totals.Chunks} chunks with {Totals.Entries} entries");
        }
        End = Offset + SnapshotFooter.BytesOnDisk;
        if (file.Length != End)
            return Damaged($"the footer ends at byte {End}, and the file at byte {file.Length}");
        imageBytes = SnapshotFooter.BytesOnDisk;
        isAtEnd = true;
        return SnapshotReadStatus.End;
    }

    private SnapshotReadStatus Damaged(string what)
    {
        Damage = DamageAt(Offset, what);
        return SnapshotReadStatus.Damaged;
    }

    private string DamageAt(long offset, string what) => $"{name} is damaged at byte {offset}: {what}";

    /// <summary>
    /// Bytes from <see cref="Offset"/> on, read together with as many following bytes as there is room for. After the
    /// file's end all bytes are zero.
    /// </summary>
    private ReadOnlySpan<byte> Window(int bytes)
    {
        if (Offset + bytes > windowOffset + windowBytes)
        {
            windowOffset = Offset;
            windowBytes = window.Length;
            window.Span[file.Read(windowOffset, window.Span)..].Clear();
        }
        return window.Span.Slice((int)(Offset - windowOffset), bytes);
    }
}
