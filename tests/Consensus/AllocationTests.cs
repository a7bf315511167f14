using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Steady state allocates nothing, on leader and follower alike.</summary>
public sealed class AllocationTests
{
    private const int Rounds = 10_000;

    private const int RecordBytes = 40;

    /// <summary>A removed id in the configuration must cost nothing either.</summary>
    private static readonly ClusterConfiguration WithoutNine = Configurations.Cluster([1, 2, 3], default, default, 9);

    private readonly RecordHeader[] entries = new RecordHeader[4];

    private readonly RaftCore leader = Server(1);

    private readonly RaftCore follower = Server(2);

    public AllocationTests()
    {
        for (int i = 0; i < 2 * TestCluster.ElectionTicks && leader.Role == RoleName.Follower; i++)
            leader.Tick();
        for (int i = 0; i < 8; i++)
            Exchange();
        Assert.True(leader.IsLeader);
    }

    [Fact]
    public void Proposing_replicating_acknowledging_committing_and_applying_allocate_nothing() => AllocatesNothing(() =>
    {
        for (int i = 0; i < 3; i++)
            Invariant.Hold(leader.Propose(RecordBytes) == ProposeResult.Accepted);
        leader.DurableTo(leader.Log.Last);
        Exchange();
        Invariant.Hold(leader.Log.Committed == leader.Log.Last.Index);
        Invariant.Hold(follower.Log.Durable == leader.Log.Last.Index);
        leader.AppliedTo(leader.Log.Committed);
        follower.AppliedTo(follower.Log.Committed);
    });

    [Fact]
    public void Heartbeats_allocate_nothing() => AllocatesNothing(() =>
    {
        leader.Tick();
        follower.Tick();
        Exchange();
        Invariant.Hold(leader.IsLeader);
    });

    [Fact]
    public void Reads_of_leader_and_follower_allocate_nothing()
    {
        long context = 0;
        AllocatesNothing(() =>
        {
            Invariant.Hold(leader.RequestRead(++context));
            Invariant.Hold(follower.RequestRead(++context));
            Exchange();
            Exchange();
            Invariant.Hold(leader.Ready.Reads.Count == 1);
            Invariant.Hold(follower.Ready.Reads.Count == 1);
            leader.Ready.Reads.Clear();
            follower.Ready.Reads.Clear();
        });
    }

    private static RaftCore Server(ulong id) => new(
        id, new ConfigurationHistory(WithoutNine), TestCluster.Options, default, new TermRuns(),
        new FixedRandom { Value = 5 });

    private static void AllocatesNothing(Action round)
    {
        for (int i = 0; i < Rounds; i++)
            round();
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < Rounds; i++)
                round();
        }));
    }

    /// <summary>Delivers messages between the two servers until none is left. Server 3 is silent.</summary>
    private void Exchange()
    {
        bool isDelivered = true;
        while (isDelivered)
        {
            leader.EndBatch();
            isDelivered = Deliver(leader, follower) | Deliver(follower, leader);
            while (leader.TryNextAppend(2, out Message append))
            {
                Append(append);
                isDelivered = true;
            }
        }
        if (leader.IsLeader)
            leader.DurableTo(leader.Log.Last);
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
        int count = (int)Math.Min(entries.Length, leader.Log.Last.Index - append.Position.Index);
        for (int i = 0; i < count; i++)
        {
            long index = append.Position.Index + 1 + i;
            entries[i] = new(RecordType.Command, new(leader.Log.TermAt(index), index), 8, 0);
        }
        EntryRange taken = follower.Step(append with { Count = count }, entries.AsSpan(0, count));
        leader.AppendSent(2, count, count * RecordBytes);
        if (!taken.IsEmpty)
            follower.DurableTo(follower.Log.Last);
    }
}
