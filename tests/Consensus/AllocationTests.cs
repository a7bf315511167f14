using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Steady state allocates nothing, on leader and follower alike.</summary>
public sealed class AllocationTests
{
    private const int Rounds = 10_000;

    private const int RecordBytes = 40;

    /// <summary>A removed id in the configuration must cost nothing either.</summary>
    private static readonly ClusterConfiguration WithoutNine = Configurations.Cluster([1, 2, 3], default, default, 9);

    private readonly RecordHeader[] _entries = new RecordHeader[4];

    private readonly RaftCore _leader = Server(1);

    private readonly RaftCore _follower = Server(2);

    public AllocationTests()
    {
        for (int i = 0; i < 2 * TestCluster.ElectionTicks && _leader.Role == RoleName.Follower; i++)
            _leader.Tick();
        for (int i = 0; i < 8; i++)
            Exchange();
        Assert.True(_leader.IsLeader);
    }

    [Fact]
    public void Proposing_replicating_acknowledging_committing_and_applying_allocate_nothing() => AllocatesNothing(() =>
    {
        for (int i = 0; i < 3; i++)
            Invariant.Hold(_leader.Propose(RecordBytes) == ProposeResult.Accepted);
        _leader.DurableTo(_leader.Log.Last);
        Exchange();
        Invariant.Hold(_leader.Log.Committed == _leader.Log.Last.Index);
        Invariant.Hold(_follower.Log.Durable == _leader.Log.Last.Index);
        _leader.AppliedTo(_leader.Log.Committed);
        _follower.AppliedTo(_follower.Log.Committed);
    });

    [Fact]
    public void Heartbeats_allocate_nothing() => AllocatesNothing(() =>
    {
        _leader.Tick();
        _follower.Tick();
        Exchange();
        Invariant.Hold(_leader.IsLeader);
    });

    [Fact]
    public void Reads_of_leader_and_follower_allocate_nothing()
    {
        long context = 0;
        AllocatesNothing(() =>
        {
            Invariant.Hold(_leader.RequestRead(++context));
            Invariant.Hold(_follower.RequestRead(++context));
            Exchange();
            Exchange();
            Invariant.Hold(_leader.Ready.Reads.Count == 1);
            Invariant.Hold(_follower.Ready.Reads.Count == 1);
            _leader.Ready.Reads.Clear();
            _follower.Ready.Reads.Clear();
        });
    }

    private static RaftCore Server(ulong id) => new(
        id, new ConfigurationHistory(WithoutNine), TestCluster.Options, default, new TermRuns(),
        new FixedRandom { Value = 5 });

    private static void AllocatesNothing(Action round)
    {
        for (int i = 0; i < Rounds; i++)
            round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
            round();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Delivers messages between the two servers until none is left. Server 3 is silent.</summary>
    private void Exchange()
    {
        bool isDelivered = true;
        while (isDelivered)
        {
            _leader.EndBatch();
            isDelivered = Deliver(_leader, _follower) | Deliver(_follower, _leader);
            while (_leader.TryNextAppend(2, out Message append))
            {
                Append(append);
                isDelivered = true;
            }
        }
        if (_leader.IsLeader)
            _leader.DurableTo(_leader.Log.Last);
    }

    private static bool Deliver(RaftCore from, RaftCore to)
    {
        bool isDelivered = false;
        foreach (Message message in from.Ready.Messages)
        {
            if (message.To != to.Id)
                continue;
            to.Step(message, []);
            isDelivered = true;
        }
        from.Ready.Messages.Clear();
        return isDelivered;
    }

    private void Append(in Message append)
    {
        int count = (int)Math.Min(_entries.Length, _leader.Log.Last.Index - append.Position.Index);
        for (int i = 0; i < count; i++)
        {
            long index = append.Position.Index + 1 + i;
            _entries[i] = new(RecordType.Command, new(_leader.Log.TermAt(index), index), 8, 0);
        }
        EntryRange taken = _follower.Step(append with { Count = count }, _entries.AsSpan(0, count));
        _leader.AppendSent(2, count, count * RecordBytes);
        if (!taken.IsEmpty)
            _follower.DurableTo(_follower.Log.Last);
    }
}
