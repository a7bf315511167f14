using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Always draws the value that the test has set: an election timeout is ElectionTicks + Value.</summary>
internal sealed class FixedRandom : Random
{
    public int Value { get; set; } = int.MaxValue;

    public override int Next(int maxValue) => Math.Min(Value, maxValue - 1);
}

/// <summary>
/// Servers 1 to n and the network between them, on one thread. The first servers are the voters, and the others may
/// join. Time and messages move only when the test moves them. Server 1 has the longest timeout.
/// </summary>
internal sealed class TestCluster
{
    public const int ElectionTicks = 10;

    public static readonly RaftOptions Options = new() { ElectionTicks = ElectionTicks, HeartbeatTicks = 2 };

    private readonly RaftInvariants invariants;
    private readonly HashSet<(ulong, ulong)> cut = [];

    public TestCluster(int size, RaftOptions? options = null, Func<ulong, Random>? random = null, int joiners = 0)
    {
        ulong[] ids = [.. Enumerable.Range(1, size + joiners).Select(id => (ulong)id)];
        ClusterConfiguration members = Configurations.Cluster(ids.AsSpan(0, size));
        ClusterConfiguration nobody = Configurations.Cluster([]);
        Servers =
        [
            .. ids.Select(id => new TestServer(
                id, (int)id <= size ? members : nobody, options ?? Options,
                random?.Invoke(id) ?? new FixedRandom { Value = ElectionTicks - (int)id }, Network.Add)),
        ];
        invariants = new RaftInvariants(Servers);
    }

    public TestServer[] Servers { get; }

    public TestServer this[ulong id] => Servers[id - 1];

    /// <summary>Messages sent and not delivered, oldest first.</summary>
    public List<Envelope> Network { get; } = [];

    /// <summary>Returns true for messages that the network loses.</summary>
    public Predicate<Message> IsLost { get; set; } = _ => false;

    /// <summary>Number of entries that at least one server knows to be committed.</summary>
    public int Committed => invariants.Committed;

    /// <summary>The committed configurations, the initial one first.</summary>
    public IReadOnlyList<ClusterConfiguration> CommittedConfigurations => invariants.CommittedConfigurations;

    /// <summary>The leader of the newest term.</summary>
    public TestServer? Leader =>
        Servers.Where(server => server.IsUp && server.Core.IsLeader).MaxBy(server => server.Core.Term);

    /// <summary>Cuts the cluster in two: these servers, and the others.</summary>
    public void Partition(params ulong[] side)
    {
        cut.Clear();
        foreach (TestServer from in Servers)
        {
            foreach (TestServer to in Servers)
            {
                if (side.Contains(from.Id) != side.Contains(to.Id))
                    cut.Add((from.Id, to.Id));
            }
        }
        Network.RemoveAll(envelope => cut.Contains((envelope.Message.From, envelope.Message.To)));
    }

    public void CutOneWay(ulong from, ulong to) => cut.Add((from, to));

    /// <summary>Joins the parts again. Every connection is new.</summary>
    public void Heal()
    {
        cut.Clear();
        foreach (TestServer server in Servers.Where(server => server.IsUp))
        {
            foreach (TestServer peer in Servers)
                server.PeerLost(peer.Id);
        }
    }

    public void Restart(ulong id)
    {
        this[id].Restart();
        foreach (TestServer server in Servers.Where(server => server.IsUp))
            server.PeerLost(id);
    }

    public void Deliver(int index)
    {
        Envelope envelope = Network[index];
        Network.RemoveAt(index);
        Message message = envelope.Message;
        if (!IsLost(message) && !cut.Contains((message.From, message.To)) && this[message.To].IsUp)
            this[message.To].Receive(envelope);
        invariants.Check();
    }

    /// <summary>Syncs every disk that works and delivers every message, until nothing moves.</summary>
    public void Settle()
    {
        for (int step = 0; Network.Count > 0 || Servers.Any(server => server.IsUp && server.HasDiskWork); step++)
        {
            Assert.True(step < 100_000, "the cluster doesn't settle");
            foreach (TestServer server in Servers.Where(server => server.IsUp))
                server.SyncAll();
            invariants.Check();
            if (Network.Count > 0)
                Deliver(0);
        }
    }

    /// <summary>Ticks every server that is up, and settles the cluster after each tick.</summary>
    public void Tick(int count = 1)
    {
        for (int i = 0; i < count; i++)
        {
            foreach (TestServer server in Servers.Where(server => server.IsUp))
                server.Tick();
            Settle();
        }
    }

    /// <summary>Makes the servers forget their leader, and one of them campaign and win.</summary>
    public void Elect(ulong id)
    {
        foreach (TestServer server in Servers.Where(server => server.IsUp && !server.Core.IsLeader && server.Id != id))
        {
            bool isCut = cut.Contains((id, server.Id));
            for (int i = 0; i < ElectionTicks && !isCut; i++)
                server.Tick();
        }
        for (int i = 0; i < 6 * ElectionTicks && !this[id].Core.IsLeader; i++)
        {
            this[id].Tick();
            Settle();
        }
        Assert.Equal(RoleName.Leader, this[id].Core.Role);
    }

    public void Check() => invariants.Check();
}
