namespace RaftFast.Consensus.Tests;

/// <summary>One seed: cluster size, options, mix of faults and schedule all follow from it.</summary>
internal sealed class RandomRun
{
    private readonly Random _random;
    private readonly TestCluster _cluster;
    private readonly RandomClusterTests.Effects _effects;
    private readonly Dictionary<long, int> _readFloors = [];
    private readonly int _faultRate;
    private readonly int _diskRate;
    private readonly int _proposeRate;
    private readonly int _tickRate;
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
            InflightBytesMax = _random.Next(1, 1000),
            UncommittedBytesMax = _random.Next(1, 5000),
        };
        int size = _random.Next(3) switch { 0 => 3, 1 => 5, _ => _random.Next(1, 6) };
        _cluster = new TestCluster(size, options, id => new Random(HashCode(seed, id)));
        _faultRate = _random.Next(5, 60);
        _diskRate = _random.Next(20, 300);
        _proposeRate = _random.Next(10, 100);
        _tickRate = _random.Next(50, 400);
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
        _effects.Committed += _cluster.Committed;
        _effects.Truncations += _cluster.Servers.Sum(server => server.Truncations);
        _effects.Elections += _cluster.Servers.Max(server => server.Core.Term);
    }

    private static int HashCode(int seed, ulong id) => unchecked((seed * 7919) + (int)id);

    private void Step()
    {
        TestServer server = _cluster.Servers[_random.Next(_cluster.Servers.Length)];
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
        else if ((choice -= 20) < _tickRate)
            server.Tick();
        else
            DeliverAny();
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
        // Mostly in order, so that something gets done.
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

    /// <summary>Thesis §6.4: a read index covers all that was committed when the read was asked for.</summary>
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

    private void CheckThatItHeals()
    {
        foreach (TestServer server in _cluster.Servers.Where(server => !server.IsUp))
            _cluster.Restart(server.Id);
        _cluster.Heal();
        for (int i = 0; i < 2000; i++)
        {
            _cluster.Tick();
            CheckReads();
            TestServer? leader = _cluster.Leader;
            if (leader is not null && _cluster.Servers.All(s => s.Core.LeaderId == leader.Id && s.Applied.Count == leader.Log.Count))
                return;
        }
        Assert.Fail("the healed cluster doesn't converge");
    }
}
