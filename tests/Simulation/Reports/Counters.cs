using System.Globalization;

namespace RaftFast.Simulation.Reports;

/// <summary>
/// Counts faults that had an effect, and other events that a campaign must meet. A long campaign fails if a counter
/// stays at zero.
/// </summary>
internal sealed class Counters
{
    private readonly long[] values = new long[Names.Length];

    private static string[] Names { get; } = Enum.GetNames<Counter>();

    public long this[Counter counter]
    {
        get => values[(int)counter];
        set => values[(int)counter] = value;
    }

    public void Add(Counters other)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] += other.values[i];
    }

    /// <summary>Names of the counters at zero.</summary>
    public IReadOnlyList<string> Missing()
    {
        List<string> missing = [];
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] == 0)
                missing.Add(Names[i]);
        }
        return missing;
    }

    public void WriteTo(TextWriter output)
    {
        for (int i = 0; i < values.Length; i++)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Names[i],-32}{values[i],14:N0}"));
    }
}

internal enum Counter
{
    Elections,
    LeadersDeposedByLostQuorum,
    Commits,
    ReadsServed,
    WritesAcknowledged,
    WritesForwarded,
    OutcomesUnknown,
    WritesRefused,
    ReadsRefused,
    Crashes,
    PowerLostEverywhere,
    TornBatchesInRecovery,
    DirectoryOperationsLost,
    SyncsFailed,
    ReadsFailed,
    DiskFull,
    SegmentsWithoutName,
    WritesHung,
    WritesReturnedAfterMinutes,
    HungLeadersHandOver,
    FullLeadersHandOver,
    MajoritiesWithoutRoom,
    ChangesWithoutRoom,
    ChangesByMajorityWithoutRoom,
    RotRefused,
    MisdirectedWritesRefused,
    FramesLost,
    AppendsWithEntriesLost,
    FramesDuplicated,
    FramesReordered,
    FramesReplayed,
    ConnectionsReset,
    LinksBroken,
    AnswersLost,
    FramesLostToPartition,
    FollowersStarved,
    Pauses,
    EntriesOverwritten,
    CompletionsOfOverwrittenEntries,
    MessagesHeldForHardState,
    WritesHeldForMore,
    AnswersWithoutNewTerm,
    AppendsRejected,
    MembersAdded,
    MembersPromoted,
    MembersRemoved,
    MembersMoved,
    ClustersMoved,
    HintsFollowed,
    StartsWithoutHints,
    ChangesRefused,
    ConfigurationsRolledBack,
    JoinersForked,
    LeadershipHandedOver,
    RemovedServersExited,
    WipedServersRefused,
    KeptDirectoriesReplaced,
    WrongVolumesRefused,
    EmptyDirectoriesReplaced,
    FollowerReadsWanted,
    FollowerReadsUnwanted,
    FollowerReadsOfFormerTerm,
    FollowerReadsCompacted,
    FollowerReadsOfOtherBytes,
    FollowerReadsHung,
    LeadersWithHungReadDeposed,
    SnapshotsTaken,
    SnapshotsGivenUp,
    SnapshotsInstalled,
    SnapshotsBroken,
    SnapshotsResumed,
    SnapshotWritesHung,
    SnapshotWritesAfterTransfer,
    SnapshotsPutOffByHungWrite,
    SnapshotsDamaged,
    StatesSpoilt,
    SpoiltServersStopped,
    SpoiltStatesOverwritten,
    LogsCompacted,
    RecoveriesFromSnapshot,
    CachedPagesRewritten,
    CoveredDamagePassedOver,
    ConditionsFailed,
    KeysDeleted,
    KeysExpired,
    RetriesAnswered,
    ReusedKeysRefused,
    OutcomesForgotten,
    WaitsWoken,
    WaitsEnded,
    StaleReadsServed,
    StaleReadsOfOldState,
    StaleReadsRefused,
    TransactionsDone,
    TransactionsFailed,
    TransactionsRepeated,
    TransactionsUnknown,
    TransactionReads,
    TransactionWaitsWoken,
}
