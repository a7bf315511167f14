using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>A member's state at one moment of the loop, copied for readers on other threads.</summary>
internal sealed record NodeReport
{
    public required ulong Id { get; init; }

    public required RoleName Role { get; init; }

    public required long Term { get; init; }

    /// <summary>0 if no leader is known.</summary>
    public required ulong LeaderId { get; init; }

    /// <summary>Ticks since this member heard from the leader; 0 on the leader.</summary>
    public required int TicksSinceLeader { get; init; }

    /// <summary>The configuration in effect.</summary>
    public required ClusterConfiguration Cluster { get; init; }

    /// <summary>The leader's knowledge of each other member; empty on other members.</summary>
    public required IReadOnlyList<FollowerProgress> Followers { get; init; }

    /// <summary>Index of the first entry that the log keeps.</summary>
    public required long FirstIndex { get; init; }

    public required LogPosition Last { get; init; }

    public required long Durable { get; init; }

    public required long Committed { get; init; }

    public required long Applied { get; init; }

    public required bool LacksRoom { get; init; }

    public required bool LogWriteIsOverdue { get; init; }

    public required long Keys { get; init; }

    public required long StateBytes { get; init; }

    public required long StateBytesMax { get; init; }

    /// <summary>Bytes of remembered outcomes of requests with idempotency keys.</summary>
    public required long OutcomeBytes { get; init; }

    public required long OutcomeBytesMax { get; init; }

    public required long UncommittedBytes { get; init; }

    public required long UncommittedBytesMax { get; init; }

    public required long LogDiskBytes { get; init; }

    public required long LogMemoryBytes { get; init; }

    public required long LogMemoryBytesMax { get; init; }

    public required long LogReaderBytes { get; init; }

    public required long LogReads { get; init; }

    public required WaitingRequests Waiting { get; init; }

    public required SnapshotReport Snapshots { get; init; }

    public required NodeCounts Counts { get; init; }

    public required ComparisonCounts Comparisons { get; init; }

    public required HistogramCopy Commit { get; init; }

    public required HistogramCopy Apply { get; init; }
}

/// <summary>Requests of clients that wait in the node.</summary>
/// <param name="Writes">Writes that wait for a leader that can take them.</param>
/// <param name="WriteBytes">Bytes of these writes.</param>
/// <param name="Forwarded">Writes that are sent to the leader, and whose place in the log is not known.</param>
/// <param name="Proposed">Writes and changes that have a place in the log, and are not applied.</param>
/// <param name="Reads">Reads that wait for an index, for the application of entries, or for room.</param>
/// <param name="Changes">Changes of the members.</param>
internal sealed record WaitingRequests(int Writes, long WriteBytes, int Forwarded, int Proposed, int Reads, int Changes)
{
    public required int WritesMax { get; init; }

    /// <summary>Reads that wait until their key changes.</summary>
    public required int ReadsForChange { get; init; }

    public required long WriteBytesMax { get; init; }

    public required int ChangesMax { get; init; }
}

/// <summary>Counters since the process started (<see cref="NodeMetrics"/>).</summary>
internal sealed record NodeCounts(long Campaigns, long TermsLed, long LeaderChanges, long EntriesApplied);

/// <param name="Taken">Snapshots taken since the process started.</param>
/// <param name="Failed">Snapshots given up because the disk had no room.</param>
/// <param name="Installed">Snapshots received and put in place of state and log.</param>
/// <param name="Index">Last entry of the newest snapshot; 0 if there is none.</param>
/// <param name="Bytes">Bytes of the snapshot that was last taken or installed.</param>
/// <param name="TakingIndex">Last entry of the snapshot being taken; 0 if none is.</param>
/// <param name="TakingBytes">Bytes of its file so far.</param>
internal sealed record SnapshotReport(
    long Taken, long Failed, long Installed, long Index, long Bytes, long TakingIndex, long TakingBytes);
