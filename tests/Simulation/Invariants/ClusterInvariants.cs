using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Simulation.Reports;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Invariants of the whole cluster after every event: figure 3 of the Raft paper, durability before every message, and
/// monotonicity. The checks see all servers' cores and disks at once.
/// </summary>
internal sealed class ClusterInvariants(int servers, Counters counters)
{
    private readonly Dictionary<long, int> leaderOfTerm = [];
    private readonly Dictionary<LogPosition, (long PreviousTerm, uint Checksum)> entries = [];

    /// <summary>For each index, the committed entry's term and the term in which it was committed.</summary>
    private readonly List<(long Term, long CommittedIn)> committed = [];
    private readonly HashSet<(int Server, MessageType Type, long Context)> asked = [];
    private readonly Dictionary<long, ulong> stateHashes = [];
    private readonly long[] appliedBefore = new long[servers];
    private readonly DurableLog[] durable = CreateLogs(servers);

    /// <summary>Contents of the volume that each server has mounted. Majorities count right volumes only.</summary>
    private readonly DurableLog[] mounted = new DurableLog[servers];
    private readonly ServerHistory[] histories = new ServerHistory[servers];

    private long latestConfigurationIndex;

    public long Committed => committed.Count;

    /// <summary>Last configuration that any server knows to be committed; null until the first change.</summary>
    public ClusterConfiguration? LatestConfiguration { get; private set; }

    public void OnWiped(int server) => durable[server].Wipe();

    /// <summary>Called when a server mounts a volume, before it starts.</summary>
    /// <param name="wrong">Contents of a volume that is not the server's right one; null for the right one.</param>
    public void OnMounted(int server, DurableLog? wrong) => mounted[server] = wrong ?? durable[server];

    /// <summary>True if the right volume of a server holds a term, a vote or entries.</summary>
    public bool HasPromised(int server) => durable[server].Term > 0;

    /// <summary>Called when a batch has reached a server's disk.</summary>
    public void OnWritten(int server, ReadOnlySpan<byte> image)
    {
        DurableLog log = mounted[server];
        long before = log.Overwritten;
        long rolledBack = log.ConfigurationsRolledBack;
        log.Add(image, OnEntry);
        counters[Counter.ConfigurationsRolledBack] += log.ConfigurationsRolledBack - rolledBack;
        counters[Counter.EntriesOverwritten] += log.Overwritten - before;
    }

    /// <summary>Checks that no vote, acknowledgement or vote request leaves before the sync that covers it.</summary>
    public void OnSaying(int server, in Message message)
    {
        DurableLog log = mounted[server];
        bool speaksForItsTerm = message.Type is not (MessageType.PreVote or MessageType.PreVoteResponse);
        if (speaksForItsTerm)
            Must(log.Term >= message.Term, "a message leaves before its term is durable", server);
        if (message.Type == MessageType.Vote)
        {
            Must(log.HoldsVote(message.Term, message.From),
                "a candidate asks for votes before its own vote is durable", server);
        }
        if (message.Type == MessageType.VoteResponse && !message.Rejected)
            Must(log.HoldsVote(message.Term, message.To), "a vote leaves before it is durable", server);
        if (message.Type == MessageType.AppendResponse && !message.Rejected)
        {
            Must(log.LastIndex >= message.Position.Index,
                "an acknowledgement leaves before its entries are durable", server);
        }
        if (message.Type == MessageType.AppendResponse && message.Rejected)
            counters[Counter.AppendsRejected]++;
        bool tellsCommit = message.Type is MessageType.Heartbeat or MessageType.ReadIndexResponse;
        if (tellsCommit && message.Commit > 0 && message.Commit <= committed.Count)
        {
            LogPosition told = new(committed[(int)message.Commit - 1].Term, message.Commit);
            Must(durable[(int)message.To - 1].HasHeld(told),
                "a leader counts an entry that its follower does not have on stable storage", server);
        }
        // A late answer must not pass for the answer to a later question, least of all to one of a later process.
        if (message.Type is MessageType.ReadIndex or MessageType.Forward)
        {
            Must(asked.Add((server, message.Type, message.Context)),
                "the context number of a question is used again", server);
        }
        if (LostAnswers.IsAnswer(message.Type) && message.Term < histories[server].HardState.Term)
            counters[Counter.AnswersWithoutNewTerm]++;
        if (message.Type == MessageType.Forward)
            counters[Counter.WritesForwarded] += message.Count;
    }

    /// <summary>
    /// Called when a server dies while it writes this batch. The disk may hold the whole batch, or a part that counts
    /// as nothing. Until the server has started again, only the first batch counts: a start that dies was only clearing
    /// the bytes after the log.
    /// </summary>
    public void OnTorn(int server, ReadOnlySpan<byte> image, bool mayBeWhole) =>
        mounted[server].Torn ??= (image.ToArray(), mayBeWhole);

    /// <summary>Called when a snapshot has replaced a server's log.</summary>
    public void OnStateReplaced(int server, LogPosition snapshot, long configurationIndex)
    {
        mounted[server].Torn = null;
        Must(snapshot.Index <= committed.Count && committed[(int)snapshot.Index - 1].Term == snapshot.Term,
            "a snapshot covers entries that are not committed", server);
        List<(long, uint)> covered = [];
        for (int i = 0; i < snapshot.Index; i++)
            covered.Add((committed[i].Term, entries[new LogPosition(committed[i].Term, i + 1)].Checksum));
        mounted[server].Restore(snapshot, configurationIndex, covered);
    }

    /// <summary>
    /// Checks a server after its recovery: it has at least the synced state, and at most the written state.
    /// </summary>
    public void OnStarted(int server, RaftCore core)
    {
        if (mounted[server].Torn is { } torn && !RecoveryYields(server, core))
        {
            Must(torn.MayBeWhole, "recovery keeps a batch of which the disk holds only a part", server);
            OnWritten(server, torn.Image);
        }
        mounted[server].Torn = null;
        Must(RecoveryYields(server, core), "recovery does not yield what was synced last", server);
        histories[server] = ServerHistory.Of(core, isLeader: false);
    }

    /// <summary>Checks a server after it has processed a batch of inputs.</summary>
    public void OnStepped(int server, RaftCore core)
    {
        ServerHistory before = histories[server];
        RaftLog log = core.Log;
        Must(core.Term >= before.HardState.Term, "a term goes back", server);
        bool hadVoted = core.Term == before.HardState.Term && before.HardState.Vote != 0;
        Must(!hadVoted || core.HardState.Vote == before.HardState.Vote, "a vote changes within its term", server);
        Must(log.Committed >= before.Committed, "a commit index goes back", server);
        Must(log.Applied >= before.Applied, "an applied index goes back", server);
        Must(log.Base.Index <= log.Applied, "an entry is compacted before it is applied", server);
        Must(log.Applied <= log.Committed, "an entry is applied before it is committed", server);
        Must(log.Committed <= log.Last.Index, "the commit index is beyond the last entry", server);
        Must(log.Durable <= log.Last.Index, "the durable index is beyond the last entry", server);
        bool stillLeads = before.IsLeader && core.IsLeader && core.Term == before.HardState.Term;
        Must(!stillLeads || log.Last.Index >= before.Last, "a leader removes entries (Leader Append-Only)", server);
        Must(!stillLeads || log.Committed == before.Committed || log.TermAt(log.Committed) == core.Term,
            "a leader commits an entry of an earlier term by counting (§5.4.2)", server);
        if (core.IsLeader)
            OnLeads(server, core, isNew: !stillLeads);
        else if (before.IsLeader && core.Term == before.HardState.Term)
            counters[Counter.LeadersDeposedByLostQuorum]++;
        ConfigurationHistory configurations = log.Configurations;
        bool isOwnChange = core.IsLeader && configurations.EffectiveIndex > log.Base.Index
            && log.TermAt(configurations.EffectiveIndex) == core.Term;
        Must(!isOwnChange || configurations.Pending <= 1,
            "two configuration changes are pending at once (thesis §4.1)", server);
        Must(!isOwnChange || log.TermAt(log.Committed) == core.Term,
            "a configuration is proposed before an entry of the leader's term has committed", server);
        Must(log.Durable < log.Last.Index || configurations.EffectiveIndex == mounted[server].ConfigurationIndex,
            "the configuration in effect is not the last one in the log", server);
        Must(!isOwnChange || configurations.Effective.StaysVoter(core.Id),
            "a leader proposes a configuration in which it is no voter", server);
        // A voter that acknowledges anything to the leader has the leader's term on disk.
        bool changesVoters = isOwnChange && stillLeads && configurations.EffectiveIndex > before.Last
            && configurations.Effective.Voters.Length != configurations.Committed.Voters.Length;
        Must(!changesVoters || IsMajority(configurations.Effective.Cluster, disk => disk.Term >= core.Term),
            "a leader proposes voters, and no majority of them has answered it", server);
        if (log.Committed > before.Committed)
            OnCommitted(server, core, before);
        histories[server] = ServerHistory.Of(core, core.IsLeader);
    }

    private bool RecoveryYields(int server, RaftCore core)
    {
        DurableLog log = mounted[server];
        return core.Log.Last == new LogPosition(log.TermAt(log.LastIndex), log.LastIndex)
            && core.Term == log.Term
            && (log.HardState.Term < core.Term || core.HardState == log.HardState);
    }

    /// <summary>Notes a server's applied index.</summary>
    /// <returns>False if the index is the one that was noted last.</returns>
    public bool HasApplied(int server, long applied)
    {
        bool isNews = applied != appliedBefore[server];
        appliedBefore[server] = applied;
        return isNews;
    }

    /// <summary>Checks that servers with equal applied indices have equal states.</summary>
    public void OnApplied(long applied, ulong stateHash, int server)
    {
        if (!stateHashes.TryAdd(applied, stateHash))
        {
            Must(stateHashes[applied] == stateHash,
                "two servers have applied the same entries, and their states differ", server);
        }
    }

    /// <summary>True if a sound server is known to have had this state at this applied index.</summary>
    public bool IsStateAt(long applied, ulong stateHash) =>
        stateHashes.TryGetValue(applied, out ulong sound) && sound == stateHash;

    private void OnLeads(int server, RaftCore core, bool isNew)
    {
        if (!isNew)
            return;
        bool isFirst = leaderOfTerm.TryAdd(core.Term, server);
        Must(isFirst || leaderOfTerm[core.Term] == server, "two leaders in one term (Election Safety)", server);
        counters[Counter.Elections]++;
        // A sole voter counts its vote at once, because no other server needs to hear of the vote.
        bool isElected = core.Configuration.IsSoleVoter(core.Id)
            || IsMajority(core.Configuration.Cluster, disk => disk.HoldsVote(core.Term, core.Id));
        Must(isElected, "a leader does not have the votes of a majority (§5.2)", server);
        // A candidate that slept through a later term may still become the leader of its own term. This leader need not
        // have the entries that the later term committed.
        for (int i = 0; i < committed.Count; i++)
        {
            Must(committed[i].CommittedIn >= core.Term || core.Log.Matches(new LogPosition(committed[i].Term, i + 1)),
                "a leader does not have a committed entry (Leader Completeness)", server);
        }
    }

    private void OnCommitted(int server, RaftCore core, in ServerHistory before)
    {
        RaftLog log = core.Log;
        // Entries that a snapshot has brought were committed by other servers.
        for (long index = Math.Max(before.Committed + 1, log.Base.Index); index <= log.Committed; index++)
        {
            long term = log.TermAt(index);
            if (index <= committed.Count)
            {
                Must(committed[(int)index - 1].Term == term,
                    "two servers commit different entries (State Machine Safety)", server);
                continue;
            }
            committed.Add((term, core.Term));
            counters[Counter.Commits]++;
            LogPosition entry = new(term, index);
            // The leader may have committed by one configuration, proposed another, and died. Then a follower is the
            // first to know of the commit.
            bool isHeld = IsMajority(core.Configuration.Cluster, disk => disk.HasHeld(entry))
                || IsMajority(before.Effective.Cluster, disk => disk.HasHeld(entry))
                || IsMajority(log.Configurations.Committed.Cluster, disk => disk.HasHeld(entry));
            Must(isHeld, "an entry is committed that no majority has on stable storage", server);
        }
        if (log.Configurations.CommittedIndex > latestConfigurationIndex)
            OnConfigurationCommitted(log.Configurations);
    }

    private void OnConfigurationCommitted(ConfigurationHistory configurations)
    {
        ClusterConfiguration after = configurations.Committed.Cluster;
        foreach (Member member in after.Members)
        {
            Member? before = LatestConfiguration?.Find(member.Id);
            if (before is null && member.Role == MemberRole.Learner)
                counters[Counter.MembersAdded]++;
            if (before is { Role: MemberRole.Learner } && member.Role == MemberRole.Voter)
                counters[Counter.MembersPromoted]++;
            if (before is not null && before.Address != member.Address)
                counters[Counter.MembersMoved]++;
        }
        foreach (ulong removed in LatestConfiguration?.RemovedIds ?? [])
            Must(after.WasRemoved(removed), "a removed member is forgotten", -1);
        counters[Counter.MembersRemoved] += after.RemovedIds.Count - (LatestConfiguration?.RemovedIds.Count ?? 0);
        LatestConfiguration = after;
        latestConfigurationIndex = configurations.CommittedIndex;
    }

    /// <summary>
    /// True if a majority of the voters holds something; in a joint configuration, a majority of each voter set (§6).
    /// Shares no code with the product.
    /// </summary>
    private bool IsMajority(ClusterConfiguration configuration, Func<DurableLog, bool> holds)
    {
        return IsMajorityOf(member => member.Role == MemberRole.Voter)
            && IsMajorityOf(member => member.IsOutgoingVoter);

        bool IsMajorityOf(Func<Member, bool> counts)
        {
            int all = 0;
            int held = 0;
            foreach (Member member in configuration.Members)
            {
                all += counts(member) ? 1 : 0;
                held += counts(member) && holds(durable[(int)member.Id - 1]) ? 1 : 0;
            }
            return all == 0 || 2 * held > all;
        }
    }

    private void OnEntry(LogPosition position, long previousTerm, uint checksum)
    {
        if (!entries.TryAdd(position, (previousTerm, checksum)))
        {
            Must(entries[position] == (previousTerm, checksum),
                "two logs differ at one index and term (Log Matching)", -1);
        }
    }

    private static DurableLog[] CreateLogs(int servers)
    {
        DurableLog[] logs = new DurableLog[servers];
        for (int i = 0; i < servers; i++)
            logs[i] = new DurableLog();
        return logs;
    }

    private static void Must(bool property, string otherwise, int server)
    {
        if (!property)
            throw new InvariantException($"server {server + 1}: {otherwise}");
    }

    /// <summary>State of a server after its last step.</summary>
    private readonly record struct ServerHistory(
        HardState HardState, long Committed, long Applied, long Last, bool IsLeader, ConfigurationState Effective)
    {
        public static ServerHistory Of(RaftCore core, bool isLeader) =>
            new(
                core.HardState, core.Log.Committed, core.Log.Applied, core.Log.Last.Index, isLeader,
                core.Configuration);
    }
}
