using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Snapshots;

/// <summary>Reads a snapshot from its beginning, a chunk at a time, and verifies all of it. One thread at a time.</summary>
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

    /// <param name="clusterId">Null for a backup, which is read whosever it is.</param>
    internal SnapshotReader(IDisk disk, string name, ulong? clusterId)
    {
        this.name = name;
        file = disk.Open(name);
        DecodeStatus status = SnapshotHeader.TryRead(Window(window.Length), out header, out uint version);
        if (version is not (0 or SnapshotHeader.Version))
            Refusal = $"{name} has format {version}, and this program knows {SnapshotHeader.Version} only; start the program that wrote it";
        else if (status != DecodeStatus.Complete)
            Damage = DamageAt(0, "this is no header of a snapshot");
        else if (header.IsBackup && clusterId is not null)
            Refusal = $"{name} is a backup: bring it into an empty directory with raftfast restore";
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

    /// <summary>Null for one that is being received.</summary>
    public SnapshotFile? File => SnapshotFile.TryParseName(name, out SnapshotFile named) ? named : null;

    /// <summary>The last log entry that the snapshot covers.</summary>
    public LogPosition Position => header.Position;

    /// <summary>As it was given to <see cref="SnapshotStore.TryCreate"/>.</summary>
    public ReadOnlySpan<byte> Configuration => configuration;

    /// <summary>For a person: which file is damaged, at which byte, and how. Null while nothing was found.</summary>
    public string? Damage { get; private set; }

    /// <summary>What was read last (nothing after a skip), as it is on the disk and is to be sent: header, chunk or footer. Valid until the next read.</summary>
    public ReadOnlySpan<byte> Image => Damage is null ? window.Span.Slice((int)(Offset - windowOffset), imageBytes) : default;

    /// <summary>Of the chunk read last. Valid until the next read.</summary>
    public ReadOnlySpan<byte> Payload => Chunk.PayloadLength == 0 ? default : Chunk.Payload(Image);

    /// <summary>The chunk read last.</summary>
    public SnapshotChunk Chunk { get; private set; }

    /// <summary>The file is not damaged, but somebody else's.</summary>
    internal string? Refusal { get; }

    internal SnapshotHeader Header => header;

    /// <summary>In the chunks so far.</summary>
    public long Entries => Totals.Entries;

    /// <summary>What the chunks so far amount to.</summary>
    internal SnapshotFooter Totals { get; private set; }

    /// <summary>Of what was read last.</summary>
    internal long Offset { get; private set; }

    /// <summary>Behind what was read last; after the end, the file's length.</summary>
    public long End { get; private set; }

    /// <summary>What the file's end says of how many entries there are, for who makes room for them; 0 if nothing stands there yet.</summary>
    /// <exception cref="StorageException">The disk can't read.</exception>
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

    /// <summary>The next chunk, or the end; not called again after that.</summary>
    /// <exception cref="StorageException">The disk can't read.</exception>
    public SnapshotReadStatus Read() => Read(isWanted: true);

    /// <summary>Goes on behind this chunk, by the headers of those before it: somebody has them already.</summary>
    /// <param name="sequence">0: at the beginning.</param>
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

    /// <summary>At the header again, of the same file, whatever has become of its name.</summary>
    /// <exception cref="StorageException">The disk can't read.</exception>
    public void Rewind()
    {
        if (Damage is not null)
            return;
        (Offset, windowOffset, windowBytes) = (0, 0, 0);
        (Chunk, Totals, isAtEnd) = (default, default, false);
        End = imageBytes = header.BytesOnDisk;
        if (SnapshotHeader.TryRead(Window(imageBytes), out SnapshotHeader again, out _) != DecodeStatus.Complete || again != header)
            Damage = DamageAt(0, "this is no longer the header that was read before");
    }

    /// <summary>The header must be that of a snapshot up to this entry.</summary>
    internal void Expect(long index)
    {
        if (Damage is null && header.Position.Index != index)
            Damage = DamageAt(0, $"this is a snapshot up to entry {header.Position.Index}");
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
            return Damaged($"neither chunk {Totals.Chunks + 1} nor the end is there");
        if (footer != Totals)
            return Damaged($"the end is of {footer.Chunks} chunks with {footer.Entries} entries, and {Totals.Chunks} with {Totals.Entries} are there");
        End = Offset + SnapshotFooter.BytesOnDisk;
        if (file.Length != End)
            return Damaged("this is the end, and more follows");
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

    /// <summary>Bytes from <see cref="Offset"/> on, read together with as many behind them as there is room for; zeros behind the file's end.</summary>
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
