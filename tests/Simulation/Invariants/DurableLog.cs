using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Contents of a server's stable storage, read from the bytes as they reach the simulated disk. The contents do not
/// depend on the server's own idea of what is durable.
/// </summary>
internal sealed class DurableLog
{
    private readonly List<(long Term, uint Checksum)> entries = [];

    private readonly Dictionary<long, ulong> votes = [];

    private readonly HashSet<LogPosition> lost = [];

    private readonly List<(long Index, ClusterConfiguration Configuration)> configurations = [];

    private LogPosition start;
    private long restoredConfigurationIndex;

    public HardState HardState { get; private set; }

    /// <summary>
    /// Batch that the server was writing when it died, and true unless the disk surely lacks a part of it. A part
    /// counts as nothing.
    /// </summary>
    public (byte[] Image, bool MayBeWhole)? Torn { get; set; }

    /// <summary>
    /// Index of the last configuration, 0 for none. This configuration is in effect once all of the log is durable.
    /// </summary>
    public long ConfigurationIndex => configurations.Count == 0 ? restoredConfigurationIndex : configurations[^1].Index;

    public long ConfigurationsRolledBack { get; private set; }

    /// <summary>Number of entries that a new leader's entries have replaced (§5.3).</summary>
    public long Overwritten { get; private set; }

    public long LastIndex => entries.Count;

    public long TermAt(long index) => index == 0 ? 0 : entries[(int)index - 1].Term;

    /// <summary>Term that recovery would find: the greater of the hard state's and the last entry's.</summary>
    public long Term => Math.Max(HardState.Term, TermAt(LastIndex));

    /// <summary>True if this vote was ever on stable storage, though later terms may have followed.</summary>
    public bool HoldsVote(long term, ulong candidate) => votes.GetValueOrDefault(term) == candidate;

    public bool Holds(LogPosition entry) => entry.Index <= LastIndex && TermAt(entry.Index) == entry.Term;

    /// <summary>True if the disk holds the entry, or a lost disk held it.</summary>
    public bool HasHeld(LogPosition entry) => Holds(entry) || lost.Contains(entry);

    /// <summary>Replaces the log by a snapshot (§7), which holds all committed entries up to its last one.</summary>
    public void Restore(LogPosition snapshot, long configurationIndex, IEnumerable<(long Term, uint Checksum)> covered)
    {
        start = snapshot;
        entries.Clear();
        entries.AddRange(covered);
        Invariant.Hold(LastIndex == snapshot.Index && TermAt(LastIndex) == snapshot.Term);
        restoredConfigurationIndex = configurationIndex;
        configurations.Clear();
    }

    /// <param name="image">Bytes of a batch, from header to padding.</param>
    public void Add(ReadOnlySpan<byte> image, Action<LogPosition, long, uint> added)
    {
        // Batches queued before a snapshot replaced the log are written before the log begins anew, and mean nothing.
        LogPosition last = new(
            BinaryPrimitives.ReadInt64LittleEndian(image[32..]), BinaryPrimitives.ReadInt64LittleEndian(image[40..]));
        if (last < start)
            return;
        ReadOnlySpan<byte> rest = image[WalBatchHeader.Size..];
        while (Record.TryRead(rest, out RecordHeader header) == DecodeStatus.Complete)
        {
            if (HardStateRecord.TryRead(rest, header, out HardState state))
            {
                HardState = state;
                votes[state.Term] = state.Vote;
            }
            else
                Add(header, rest, added);
            rest = rest[header.RecordLength..];
        }
    }

    /// <summary>Empties the disk. The votes and entries that the lost disk held still count.</summary>
    public void Wipe()
    {
        for (int i = 0; i < entries.Count; i++)
            lost.Add(new LogPosition(entries[i].Term, i + 1));
        entries.Clear();
        configurations.Clear();
        restoredConfigurationIndex = 0;
        start = default;
        HardState = default;
        Torn = null;
    }

    private void Add(in RecordHeader header, ReadOnlySpan<byte> record, Action<LogPosition, long, uint> added)
    {
        LogPosition position = header.Position;
        Invariant.Hold(position.Index <= LastIndex + 1);
        Overwritten += LastIndex - position.Index + 1;
        entries.RemoveRange((int)position.Index - 1, entries.Count - (int)position.Index + 1);
        while (configurations.Count > 0 && configurations[^1].Index >= position.Index)
        {
            configurations.RemoveAt(configurations.Count - 1);
            ConfigurationsRolledBack++;
        }
        if (header.Type == RecordType.Configuration)
            configurations.Add((position.Index, ConfigurationRecord.TryRead(Record.Payload(record, header))!));
        added(position, TermAt(position.Index - 1), header.PayloadChecksum);
        entries.Add((position.Term, header.PayloadChecksum));
    }
}
