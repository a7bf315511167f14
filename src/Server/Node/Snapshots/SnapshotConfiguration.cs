using RaftFast.Protocol;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// The cluster's configuration as a snapshot carries it: the log's record (<see cref="ConfigurationRecord"/>), with the
/// index of its entry. Index 0 is the configuration that the log began with.
/// </summary>
internal readonly record struct SnapshotConfiguration(long Index, ClusterConfiguration Cluster)
{
    public byte[] ToBytes()
    {
        byte[] record = ConfigurationRecord.Write(Cluster);
        Record.Stamp(record, new LogPosition(0, Index));
        return record;
    }

    /// <summary>
    /// Checks that a snapshot carries the configuration of the entries that it covers, never a later one, which may yet
    /// be rolled back.
    /// </summary>
    public void MustBeCoveredBy(LogPosition snapshot) => Invariant.Hold(Index <= snapshot.Index);

    /// <returns>Null when the bytes hold no configuration.</returns>
    public static SnapshotConfiguration? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (Record.TryRead(bytes, out RecordHeader header) != DecodeStatus.Complete)
            return null;
        if (header.Type != RecordType.Configuration)
            return null;
        return ConfigurationRecord.TryRead(Record.Payload(bytes, header)) is { } cluster
            ? new SnapshotConfiguration(header.Position.Index, cluster)
            : null;
    }
}
