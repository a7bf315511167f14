using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// A run from one seed, which decides the cluster's size, options, mix of faults, changes of members and schedule.
/// </summary>
internal sealed class RandomRun
{
    /// <summary>Number of servers that may join. An id is never used again, so each joins at most once.</summary>
    private const int Joiners = 5;

    private readonly Random random;
    private readonly TestCluster cluster;
    private readonly RandomClusterTests.Effects effects;
    private readonly Dictionary<long, int> readFloors = [];
    private readonly int faultRate;
    private readonly int diskRate;
    private readonly int proposeRate;
    private readonly int tickRate;
    private readonly int changeRate;
    private long context;
    private uint command;

    public RandomRun(int seed, RandomClusterTests.Effects effects)
    {
        random = new Random(seed);
        this.effects = effects;
        RaftOptions options = new()
        {
            ElectionTicks = random.Next(3, 12),
            HeartbeatTicks = random.Next(1, 3),
            AppendBytesMax = random.Next(1, 300),
            InflightAppendsMax = random.Next(1, 8),
            FreshAppendsMax = random.Next(1, 4),
            InflightBytesMax = random.Next(1, 1000),
            UncommittedBytesMax = random.Next(1, 5000),
        };
        int size = random.Next(3) switch { 0 => 3, 1 => 5, _ => random.Next(1, 6) };
        cluster = new TestCluster(size, options, id => new Random(HashCode(seed, id)), Joiners);
        faultRate = random.Next(1, 60);
        diskRate = random.Next(20, 300);
        proposeRate = random.Next(10, 100);
        tickRate = random.Next(50, 400);
        changeRate = random.Next(0, 60);
    }

    public void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Step();
            cluster.Check();
            CheckReads();
        }
        CheckThatItHeals();
        CheckThatItServes();
        effects.Committed += cluster.Committed;
        effects.Truncations += cluster.Servers.Sum(server => server.Truncations);
        effects.Elections += cluster.Servers.Max(server => server.Core.Term);
        effects.RolledBack += cluster.Servers.Sum(server => server.RolledBack);
        effects.HandOversWon += cluster.Servers.Sum(server => server.HandOversWon);
        CountChanges();
    }

    private static int HashCode(int seed, ulong id) => unchecked((seed * 7919) + (int)id);

    private void Step()
    {
        TestServer server = AnyServer();
        int choice = random.Next(1000);
        if (choice < faultRate)
            Fault(server);
        else if (!server.IsUp && random.Next(20) == 0)
            cluster.Restart(server.Id);
        else if (!server.IsUp)
            DeliverAny();
        else if ((choice -= faultRate) < diskRate)
            Disk(server);
        else if ((choice -= diskRate) < proposeRate)
            (random.Next(3) == 0 ? server : cluster.Leader ?? server).Propose(++command, random.Next(100));
        else if ((choice -= proposeRate) < 20)
            Read(server);
        else if ((choice -= 20) < changeRate)
            Change(cluster.Leader ?? server);
        else if ((choice -= changeRate) < tickRate)
            server.Tick();
        else
            DeliverAny();
    }

    /// <summary>
    /// Picks a member most of the time, so that the cluster makes progress, and sometimes a server that was removed or
    /// has not joined.
    /// </summary>
    private TestServer AnyServer()
    {
        IReadOnlyList<Member> members = cluster.CommittedConfigurations[^1].Members;
        return random.Next(8) == 0 ? cluster[RandomId()] : cluster[members[random.Next(members.Count)].Id];
    }

    private void Disk(TestServer server)
    {
        if (random.Next(2) == 0)
            server.SyncOne();
        else
            server.ReportOne();
    }

    private void DeliverAny()
    {
        if (cluster.Network.Count == 0)
            return;
        // Mostly in order, so that the cluster makes progress.
        int index = random.Next(4) == 0 ? random.Next(cluster.Network.Count) : 0;
        cluster.Deliver(index);
    }

    private void Fault(TestServer server)
    {
        List<Envelope> network = cluster.Network;
        switch (random.Next(6))
        {
            case 0 when network.Count > 0:
                network.RemoveAt(random.Next(network.Count));
                break;
            case 1 when network.Count > 0:
                network.Add(network[random.Next(network.Count)]);
                break;
            case 2 when server.IsUp:
                effects.LostWrites += server.StableLog.Count < server.Log.Count ? 1 : 0;
                server.Crash(random.Next(3));
                break;
            case 3:
                cluster.Partition([.. cluster.Servers.Select(s => s.Id).Where(_ => random.Next(2) == 0)]);
                break;
            case 4:
                cluster.Heal();
                break;
            case 5 when server.IsUp:
                server.PeerLost(cluster.Servers[random.Next(cluster.Servers.Length)].Id);
                break;
        }
    }

    private void Read(TestServer server)
    {
        readFloors[++context] = cluster.Committed;
        server.RequestRead(context);
    }

    /// <summary>Thesis §6.4: a read index covers all entries that were committed when the read was requested.</summary>
    private void CheckReads()
    {
        foreach (TestServer server in cluster.Servers)
        {
            foreach (ReadState read in server.Reads)
                Assert.True(read.Index >= readFloors[read.Context], "a read index misses a committed entry");
            effects.Reads += server.Reads.Count;
            server.Reads.Clear();
        }
    }

    private void Change(TestServer leader)
    {
        if (random.Next(6) == 0)
            leader.HandOver();
        if (!leader.Core.MayChangeConfiguration)
            return;
        ClusterConfiguration current = leader.Core.Configuration.Cluster;
        ClusterConfiguration? next = current;
        if (random.Next(2) == 0)
            MembershipPolicy.Plan(current, RandomRequest(), out next);
        else
            next = RandomChange(current);
        if (next is null)
            return;
        // Follows RaftNode: a leader that will not stay a voter hands over, and its successor makes the change.
        if (new ConfigurationState(next).StaysVoter(leader.Id))
            leader.Propose(next);
        else
            leader.HandOver();
    }

    private MembershipChange RandomRequest()
    {
        ulong id = RandomId();
        return random.Next(2) == 0
            ? new(MembershipChangeKind.Add, id, Configurations.AddressOf(id))
            : new(MembershipChangeKind.Remove, id);
    }

    /// <summary>Makes a simple change of one server, or a joint configuration for several.</summary>
    private ClusterConfiguration? RandomChange(ClusterConfiguration current)
    {
        List<MemberEdit> changes = [];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            ulong id = RandomId();
            if (!current.WasRemoved(id))
                changes.Add(new((MemberEditKind)random.Next(3), id, Configurations.AddressOf(id)));
        }
        MemberEdit[] chosen = [.. changes];
        return random.Next(4) == 0
            ? ConfigurationEditor.Simple(current, chosen, out _)
            : ConfigurationEditor.EnterJoint(current, leavesJointItself: true, chosen, out _);
    }

    private ulong RandomId() => cluster.Servers[random.Next(cluster.Servers.Length)].Id;

    private void CheckThatItHeals()
    {
        foreach (TestServer server in cluster.Servers.Where(server => !server.IsUp))
            cluster.Restart(server.Id);
        cluster.Heal();
        for (int i = 0; i < 2000; i++)
        {
            cluster.Tick();
            CheckReads();
            if (cluster.Leader is { } leader && IsStable(leader))
                return;
        }
        Assert.Fail($"the healed cluster doesn't converge:\n{string.Join('\n', cluster.Servers.Select(Describe))}");
    }

    private static string Describe(TestServer server)
    {
        RaftCore core = server.Core;
        IEnumerable<string> members = core.Configuration.Cluster.Members.Select(
            member => $"{member.Id}{(member.IsOutgoingVoter ? "-" : "")}{member.Role.ToString()[0]}");
        return $"{server.Id}: {core.Role} of {core.LeaderId} in {core.Term}, "
            + $"log {core.Log.Last} committed {core.Log.Committed}, "
            + $"members {string.Join(' ', members)} of entry {core.Log.Configurations.EffectiveIndex}";
    }

    /// <summary>
    /// True if no change is under way, and all members follow the leader and have applied its whole log.
    /// </summary>
    private bool IsStable(TestServer leader)
    {
        ClusterConfiguration members = leader.Core.Configuration.Cluster;
        return leader.Core.MayChangeConfiguration
            && members.Members.All(member => member is { Role: MemberRole.Voter, IsOutgoingVoter: false })
            && MembersOf(leader).All(
                server => server.Core.LeaderId == leader.Id && server.Applied.Count == leader.Log.Count);
    }

    private IEnumerable<TestServer> MembersOf(TestServer leader) =>
        leader.Core.Configuration.Cluster.Members.Select(member => cluster[member.Id]);

    /// <summary>Asserts that a write is committed and every member can read it.</summary>
    private void CheckThatItServes()
    {
        TestServer leader = cluster.Leader!;
        Assert.Equal(ProposeResult.Accepted, leader.Propose(++command));
        long written = leader.Log.Count;
        cluster.Settle();
        Assert.Equal(written, cluster.Committed);
        foreach (TestServer server in MembersOf(leader))
        {
            Read(server);
            cluster.Settle();
            Assert.Equal(context, Assert.Single(server.Reads).Context);
            Assert.Equal(written, server.Applied.Count);
            CheckReads();
        }
    }

    private void CountChanges()
    {
        IReadOnlyList<ClusterConfiguration> configurations = cluster.CommittedConfigurations;
        for (int i = 1; i < configurations.Count; i++)
        {
            ClusterConfiguration before = configurations[i - 1];
            ClusterConfiguration after = configurations[i];
            effects.JointEntered += after.IsJoint ? 1 : 0;
            effects.JointLeft += before.IsJoint ? 1 : 0;
            effects.Removals += after.RemovedIds.Count - before.RemovedIds.Count;
            effects.Promotions += after.Members.Count(
                member => member.Role == MemberRole.Voter && before.Find(member.Id) is { Role: MemberRole.Learner });
        }
    }
}
