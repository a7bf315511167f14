using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// Checks a whole cluster after every step: the properties of figure 3, of the disks, and of the configurations (§6,
/// thesis §4.1).
/// </summary>
internal sealed class RaftInvariants(TestServer[] servers)
{
    private readonly Dictionary<long, ulong> leaders = [];
    private readonly long[] versions = new long[servers.Length];
    private readonly (long Version, long Committed)[] configured = new (long, long)[servers.Length];
    private readonly List<(Entry Entry, long Term)> committed = [];
    private readonly List<ClusterConfiguration> committedConfigurations = [servers[0].Initial];
    private (long Index, ConfigurationState Configuration) lastCommit;
    private long leadersTerms;

    public int Committed => committed.Count;

    public IReadOnlyList<ClusterConfiguration> CommittedConfigurations => committedConfigurations;

    public void Check()
    {
        int before = committed.Count;
        long terms = 0;
        foreach (TestServer server in servers)
        {
            if (!server.IsUp)
                continue;
            StateMachineSafety(server);
            Durability(server);
            if (server.Core.IsLeader)
            {
                if (leaders.TryAdd(server.Core.Term, server.Id))
                    ElectedByQuorum(server);
                Assert.Equal(server.Id, leaders[server.Core.Term]); // Election Safety
                terms = (terms * 31) + server.Core.Term;
            }
        }
        CommittedOnQuorum();
        if (committed.Count > before || terms != leadersTerms)
            LeaderCompleteness();
        leadersTerms = terms;
        foreach (TestServer server in servers)
        {
            if (server.IsUp)
                ConfigurationsAreTheLogs(server);
        }
        LogMatching();
    }

    private static bool IsQuorum(ConfigurationState configuration, Predicate<ulong> agrees) =>
        IsMajority(configuration, configuration.Voters, agrees)
        && (configuration.OutgoingVoters.IsEmpty || IsMajority(configuration, configuration.OutgoingVoters, agrees));

    private static bool IsMajority(ConfigurationState configuration, ReadOnlySpan<int> voters, Predicate<ulong> agrees)
    {
        int agreeing = 0;
        foreach (int voter in voters)
            agreeing += agrees(configuration.Servers[voter]) ? 1 : 0;
        return agreeing > voters.Length / 2;
    }

    private void StateMachineSafety(TestServer server)
    {
        for (int i = server.Applied.Count - 1; i >= 0 && i >= committed.Count - 1; i--)
        {
            if (i < committed.Count)
                Assert.Equal(committed[i].Entry, server.Applied[i]);
        }
        for (int i = committed.Count; i < server.Applied.Count; i++)
        {
            committed.Add((server.Applied[i], server.Core.Term));
            if (server.Applied[i].Configuration is { } configuration)
                committedConfigurations.Add(configuration);
        }
        if (server.Applied.Count > 0)
            Assert.Equal(committed[server.Applied.Count - 1].Entry, server.Applied[^1]);
    }

    /// <summary>Durable never exceeds the disk's contents.</summary>
    private static void Durability(TestServer server)
    {
        int durable = (int)server.Core.Log.Durable;
        Assert.True(durable <= server.StableLog.Count);
        if (durable > 0)
            Assert.Equal(server.Log[durable - 1], server.StableLog[durable - 1]);
    }

    /// <summary>
    /// §5.2, §6: a majority of each voter set of the leader's configuration has its vote on stable storage.
    /// </summary>
    private void ElectedByQuorum(TestServer leader)
    {
        long term = leader.Core.Term;
        bool isElected = IsQuorum(
            leader.ElectedIn,
            voter => voter == leader.Id || servers[voter - 1].Votes.GetValueOrDefault(term) == leader.Id);
        Assert.True(isElected, "a leader wasn't elected by a quorum");
    }

    private void LeaderCompleteness()
    {
        foreach (TestServer leader in servers)
        {
            if (!leader.IsUp || !leader.Core.IsLeader)
                continue;
            for (int i = 0; i < committed.Count; i++)
            {
                if (committed[i].Term >= leader.Core.Term)
                    continue;
                Assert.True(i < leader.Log.Count);
                Assert.Equal(committed[i].Entry, leader.Log[i]);
            }
        }
    }

    /// <summary>
    /// Entries that a leader commits are durable on a quorum of its configuration in effect (§5.3, §6), and stay so.
    /// </summary>
    private void CommittedOnQuorum()
    {
        foreach (TestServer leader in servers)
        {
            foreach ((long index, ConfigurationState configuration) in leader.Commits)
            {
                AssertOnQuorum(index, configuration);
                if (index > lastCommit.Index)
                    lastCommit = (index, configuration);
            }
            leader.Commits.Clear();
        }
        Assert.Equal(lastCommit.Index, committed.Count); // a leader commits before its followers
        if (lastCommit.Index > 0)
            AssertOnQuorum(lastCommit.Index, lastCommit.Configuration);
    }

    private void AssertOnQuorum(long index, ConfigurationState configuration)
    {
        Entry entry = committed[(int)index - 1].Entry;
        bool isHeld = IsQuorum(
            configuration,
            voter => servers[voter - 1].StableLog is { } log && log.Count >= index && log[(int)index - 1] == entry);
        Assert.True(isHeld, "a committed entry isn't durable on a quorum");
    }

    /// <summary>
    /// Thesis §4.1: the last configuration in the log is in effect, committed or not. At most one is uncommitted.
    /// </summary>
    private void ConfigurationsAreTheLogs(TestServer server)
    {
        (long, long) state = (server.LogVersion, server.Core.Log.Committed);
        if (configured[server.Id - 1] == state)
            return;
        configured[server.Id - 1] = state;
        ConfigurationHistory history = server.Core.Log.Configurations;
        Assert.Same(LastIn(server, server.Log.Count), history.Effective.Cluster);
        Assert.Same(LastIn(server, (int)server.Core.Log.Committed), history.Committed.Cluster);
        int uncommitted = 0;
        for (int i = committed.Count; i < server.Log.Count; i++)
            uncommitted += server.Log[i].Configuration is null ? 0 : 1;
        Assert.True(uncommitted <= 1, "two changes of configuration at once");
    }

    private static ClusterConfiguration LastIn(TestServer server, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            if (server.Log[i].Configuration is { } configuration)
                return configuration;
        }
        return server.Initial;
    }

    private void LogMatching()
    {
        for (int i = 0; i < servers.Length; i++)
        {
            if (servers[i].LogVersion == versions[i])
                continue;
            versions[i] = servers[i].LogVersion;
            foreach (TestServer other in servers)
                LogMatching(servers[i].Log, other.Log);
        }
    }

    private static void LogMatching(List<Entry> log, List<Entry> other)
    {
        bool mustMatch = false;
        for (int i = Math.Min(log.Count, other.Count) - 1; i >= 0; i--)
        {
            mustMatch |= log[i].Position == other[i].Position;
            if (mustMatch && log[i] != other[i])
                Assert.Fail($"Log Matching: {log[i]} and {other[i]}");
        }
    }
}
