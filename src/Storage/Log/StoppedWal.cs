using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// The log of a stopped node, for reading. Opening reads and verifies the whole log and changes nothing. A torn tail
/// stays in its file, but is no part of the log.
/// </summary>
public sealed class StoppedWal : IDisposable
{
    /// <summary>Version of the log's format.</summary>
    public const uint FormatVersion = WalSegmentHeader.Version;

    private readonly WalExtents extents = new();
    private readonly WalTerms terms = new();
    private readonly WalReplay replay;
    private readonly WalReader reader;

    private StoppedWal(IDisk disk, ulong clusterId, ulong memberId, LogPosition snapshot)
    {
        replay = new WalReplay(disk, clusterId, memberId, extents, terms, new WalStarts());
        reader = new WalReader(disk, extents, new WalOptions().RecordBytesMax);
        try
        {
            replay.Run(snapshot);
        }
        catch (StorageException error)
        {
            Damage = error.Message;
        }
        replay.Dispose();
    }

    /// <summary>
    /// Text for an operator: why the log can't be used. The other properties then describe the log before the damage.
    /// Null if the log is intact.
    /// </summary>
    public string? Damage { get; }

    public HardState HardState => HardStateOrder.Seen(replay.State, terms.Last);

    /// <summary>Position of the entry before the first entry.</summary>
    public LogPosition Base => terms.Base;

    public LogPosition Last => terms.Last;

    public IReadOnlyList<(long Index, ClusterConfiguration Configuration)> Configurations => replay.Configurations;

    /// <summary>Bytes of all batches.</summary>
    public long Bytes => replay.Bytes;

    /// <summary>
    /// Text for an operator: the unfinished last batch that the next start cuts off. Null if the last batch is
    /// complete.
    /// </summary>
    public string? TornTail => replay.TornTail;

    /// <inheritdoc cref="WalRecovery.CoveredDamage"/>
    public string? CoveredDamage => replay.CoveredDamage;

    /// <summary>Files of all segments, unneeded segments first.</summary>
    public IReadOnlyList<WalSegmentFile> Files => replay.Files;

    /// <exception cref="StorageException">
    /// The disk failed. A damaged log is no exception here, but sets <see cref="Damage"/>.
    /// </exception>
    /// <param name="snapshot">Last entry that the newest intact snapshot covers; (0, 0) without a snapshot.</param>
    public static StoppedWal Read(IDisk disk, ulong clusterId, ulong memberId, LogPosition snapshot = default) =>
        new(disk, clusterId, memberId, snapshot);

    /// <summary>
    /// True if the log continues from a snapshot. If false, the log ends before the snapshot or conflicts with it, and
    /// the snapshot alone is the state (§7).
    /// </summary>
    /// <param name="snapshot">Last entry that the snapshot covers; (0, 0) without a snapshot.</param>
    /// <exception cref="StorageException">Entries between snapshot and log are missing.</exception>
    public bool ContinuesFrom(LogPosition snapshot) => !replay.MustReset(snapshot);

    /// <inheritdoc cref="Wal.Read"/>
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

/// <summary>A segment's file, for an operator.</summary>
/// <param name="Bytes">Size of the file.</param>
/// <param name="FirstIndex">
/// Index of the first entry in the file; 0 if the file is no part of the log or was not read.
/// </param>
/// <param name="LastIndex">Index of the log's last entry at the end of the segment.</param>
public sealed record WalSegmentFile(string Name, long Bytes, long FirstIndex, long LastIndex);
