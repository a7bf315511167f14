using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// A run from one seed, which decides the cluster's size, options, mix of faults, changes of members and schedule.
/// </summary>
internal sealed class RandomRun
{
    /// <summary>Number of servers that may join. Ids are never used again, so no more than these can.</summary>
    private const int Joiners = 5;

    private readonly Random _random;
    private readonly TestCluster _cluster;
    private readonly RandomClusterTests.Effects _effects;
    private readonly Dictionary<long, int> _readFloors = [];
    private readonly int _faultRate;
    private readonly int _diskRate;
    private readonly int _proposeRate;
    private readonly int _tickRate;
    private readonly int _changeRate;
    private long _context;
    private uint _command;

    public RandomRun(int seed, RandomClusterTests.Effects effects)
    {
        _random = new Random(seed);
        _effects = effects;
        RaftOptions options = new()
        {
            ElectionTicks = _random.Next(3, 12),
            HeartbeatTicks = _random.Next(1, 3),
            AppendBytesMax = _random.Next(1, 300),
            InflightAppendsMax = _random.Next(1, 8),
            FreshAppendsMax = _random.Next(1, 4),
            InflightBytesMax = _random.Next(1, 1000),
            UncommittedBytesMax = _random.Next(1, 5000),
        };
        int size = _random.Next(3) switch { 0 => 3, 1 => 5, _ => _random.Next(1, 6) };
        _cluster = new TestCluster(size, options, id => new Random(HashCode(seed, id)), Joiners);
        _faultRate = _random.Next(1, 60);
        _diskRate = _random.Next(20, 300);
        _proposeRate = _random.Next(10, 100);
        _tickRate = _random.Next(50, 400);
        _changeRate = _random.Next(0, 60);
    }

    public void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Step();
            _cluster.Check();
            CheckReads();
        }
        CheckThatItHeals();
        CheckThatItServes();
        _effects.Committed += _cluster.Committed;
        _effects.Truncations += _cluster.Servers.Sum(server => server.Truncations);
        _effects.Elections += _cluster.Servers.Max(server => server.Core.Term);
        _effects.RolledBack += _cluster.Servers.Sum(server => server.RolledBack);
        _effects.HandOversWon += _cluster.Servers.Sum(server => server.HandOversWon);
        CountChanges();
    }

    private static int HashCode(int seed, ulong id) => unchecked((seed * 7919) + (int)id);

    private void Step()
    {
        TestServer server = AnyServer();
        int choice = _random.Next(1000);
        if (choice < _faultRate)
            Fault(server);
        else if (!server.IsUp && _random.Next(20) == 0)
            _cluster.Restart(server.Id);
        else if (!server.IsUp)
            DeliverAny();
        else if ((choice -= _faultRate) < _diskRate)
            Disk(server);
        else if ((choice -= _diskRate) < _proposeRate)
            (_random.Next(3) == 0 ? server : _cluster.Leader ?? server).Propose(++_command, _random.Next(100));
        else if ((choice -= _proposeRate) < 20)
            Read(server);
        else if ((choice -= 20) < _changeRate)
            Change(_cluster.Leader ?? server);
        else if ((choice -= _changeRate) < _tickRate)
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
        IReadOnlyList<Member> members = _cluster.CommittedConfigurations[^1].Members;
        return _random.Next(8) == 0 ? _cluster[RandomId()] : _cluster[members[_random.Next(members.Count)].Id];
    }

    private void Disk(TestServer server)
    {
        if (_random.Next(2) == 0)
            server.SyncOne();
        else
            server.ReportOne();
    }

    private void DeliverAny()
    {
        if (_cluster.Network.Count == 0)
            return;
        // Mostly in order, so that the cluster makes progress.
        int index = _random.Next(4) == 0 ? _random.Next(_cluster.Network.Count) : 0;
        _cluster.Deliver(index);
    }

    private void Fault(TestServer server)
    {
        List<Envelope> network = _cluster.Network;
        switch (_random.Next(6))
        {
            case 0 when network.Count > 0:
                network.RemoveAt(_random.Next(network.Count));
                break;
            case 1 when network.Count > 0:
                network.Add(network[_random.Next(network.Count)]);
                break;
            case 2 when server.IsUp:
                _effects.LostWrites += server.StableLog.Count < server.Log.Count ? 1 : 0;
                server.Crash(_random.Next(3));
                break;
            case 3:
                _cluster.Partition([.. _cluster.Servers.Select(s => s.Id).Where(_ => _random.Next(2) == 0)]);
                break;
            case 4:
                _cluster.Heal();
                break;
            case 5 when server.IsUp:
                server.PeerLost(_cluster.Servers[_random.Next(_cluster.Servers.Length)].Id);
                break;
        }
    }

    private void Read(TestServer server)
    {
        _readFloors[++_context] = _cluster.Committed;
        server.RequestRead(_context);
    }

    /// <summary>Thesis §6.4: a read index covers all entries that were committed when the read was requested.</summary>
    private void CheckReads()
    {
        foreach (TestServer server in _cluster.Servers)
        {
            foreach (ReadState read in server.Reads)
                Assert.True(read.Index >= _readFloors[read.Context], "a read index misses a committed entry");
            _effects.Reads += server.Reads.Count;
            server.Reads.Clear();
        }
    }

    private void Change(TestServer leader)
    {
        if (_random.Next(6) == 0)
            leader.HandOver();
        if (!leader.Core.MayChangeConfiguration)
            return;
        ClusterConfiguration current = leader.Core.Configuration.Cluster;
        ClusterConfiguration? next = current;
        if (_random.Next(2) == 0)
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
        return _random.Next(2) == 0
            ? new(MembershipChangeKind.Add, id, Configurations.AddressOf(id))
            : new(MembershipChangeKind.Remove, id);
    }

    /// <summary>Makes a simple change of one server, or a joint configuration for several.</summary>
    private ClusterConfiguration? RandomChange(ClusterConfiguration current)
    {
        List<MemberEdit> changes = [];
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            ulong id = RandomId();
            if (!current.WasRemoved(id))
                changes.Add(new((MemberEditKind)_random.Next(3), id, Configurations.AddressOf(id)));
        }
        MemberEdit[] chosen = [.. changes];
        return _random.Next(4) == 0
            ? ConfigurationEditor.Simple(current, chosen, out _)
            : ConfigurationEditor.EnterJoint(current, leavesJointItself: true, chosen, out _);
    }

    private ulong RandomId() => _cluster.Servers[_random.Next(_cluster.Servers.Length)].Id;

    private void CheckThatItHeals()
    {
        foreach (TestServer server in _cluster.Servers.Where(server => !server.IsUp))
            _cluster.Restart(server.Id);
        _cluster.Heal();
        for (int i = 0; i < 2000; i++)
        {
            _cluster.Tick();
            CheckReads();
            if (_cluster.Leader is { } leader && IsStable(leader))
                return;
        }
        Assert.Fail($"the healed cluster doesn't converge:\n{string.Join('\n', _cluster.Servers.Select(Describe))}");
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
        leader.Core.Configuration.Cluster.Members.Select(member => _cluster[member.Id]);

    /// <summary>Asserts that a write is committed and every member can read it.</summary>
    private void CheckThatItServes()
    {
        TestServer leader = _cluster.Leader!;
        Assert.Equal(ProposeResult.Accepted, leader.Propose(++_command));
        long written = leader.Log.Count;
        _cluster.Settle();
        Assert.Equal(written, _cluster.Committed);
        foreach (TestServer server in MembersOf(leader))
        {
            Read(server);
            _cluster.Settle();
            Assert.Equal(_context, Assert.Single(server.Reads).Context);
            Assert.Equal(written, server.Applied.Count);
            CheckReads();
        }
    }

    private void CountChanges()
    {
        IReadOnlyList<ClusterConfiguration> configurations = _cluster.CommittedConfigurations;
        for (int i = 1; i < configurations.Count; i++)
        {
            ClusterConfiguration before = configurations[i - 1];
            ClusterConfiguration after = configurations[i];
            _effects.JointEntered += after.IsJoint ? 1 : 0;
            _effects.JointLeft += before.IsJoint ? 1 : 0;
            _effects.Removals += after.RemovedIds.Count - before.RemovedIds.Count;
            _effects.Promotions += after.Members.Count(
                member => member.Role == MemberRole.Voter && before.Find(member.Id) is { Role: MemberRole.Learner });
        }
    }
}
