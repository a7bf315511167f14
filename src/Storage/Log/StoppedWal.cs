using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>The log of a member that doesn't extent: all of it is read and verified, and nothing is changed. A torn tail stays, and is no part of it.</summary>
public sealed class StoppedWal : IDisposable
{
    /// <summary>Version of the log's format.</summary>
    public const uint FormatVersion = WalSegmentHeader.Version;

    private readonly WalExtents extents = new();
    private readonly WalTerms terms = new();
    private readonly WalReplay replay;
    private readonly WalReader reader;

    private StoppedWal(IDisk disk, ulong clusterId, ulong memberId)
    {
        replay = new WalReplay(disk, clusterId, memberId, extents, terms, new WalStarts());
        reader = new WalReader(disk, extents, new WalOptions().RecordBytesMax);
        try
        {
            replay.Run();
        }
        catch (StorageException error)
        {
            Damage = error.Message;
        }
    }

    /// <summary>For a person: why the log can't be used. What this object says of it is what stands before.</summary>
    public string? Damage { get; }

    public HardState HardState => HardStateOrder.Seen(replay.State, terms.Last);

    /// <summary>Of the entry before the first.</summary>
    public LogPosition Base => terms.Base;

    public LogPosition Last => terms.Last;

    public IReadOnlyList<(long Index, ClusterConfiguration Configuration)> Configurations => replay.Configurations;

    /// <summary>Of all batches.</summary>
    public long Bytes => replay.Bytes;

    public string? TornTail => replay.TornTail;

    /// <summary>All there are, those that are done with first.</summary>
    public IReadOnlyList<WalSegmentFile> Files => replay.Files;

    /// <exception cref="StorageException">The disk can't read. Damage is <see cref="Damage"/>.</exception>
    public static StoppedWal Read(IDisk disk, ulong clusterId, ulong memberId) => new(disk, clusterId, memberId);

    /// <summary>Whether the log goes on from a snapshot. If not, it is behind it, or was never committed: the snapshot alone is the state (§7).</summary>
    /// <param name="snapshot">The last entry that it covers; (0, 0): there is none.</param>
    /// <exception cref="StorageException">Entries between the two are missing.</exception>
    public bool GoesOnFrom(LogPosition snapshot) => !replay.MustReset(snapshot);

    /// <summary>As <see cref="Wal.Read"/>.</summary>
    /// <exception cref="StorageException">A record on the disk is damaged.</exception>
    public ReadOnlySpan<byte> Read(long firstIndex, long lastIndex, int bytesMax, out int count)
    {
        Invariant.Hold(Damage is null);
        Invariant.Hold(firstIndex > Base.Index);
        Invariant.Hold(firstIndex <= lastIndex && lastIndex <= Last.Index);
        return reader.Read(firstIndex, lastIndex, bytesMax, out count);
    }

    public void Dispose() => reader.Dispose();
}
