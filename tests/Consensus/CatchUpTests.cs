using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Entries that a leader needs for a follower that has just got a snapshot.</summary>
public sealed class CatchUpTests
{
    private readonly TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));

    public CatchUpTests()
    {
        Append(9);
        leader.Acknowledge(2, 10);
        leader.Core.AppliedTo(10);
        leader.Tick(2 * TestCluster.Options.HeartbeatTicks);
        leader.Log.CompactTo(5);
        leader.Core.MessagesMayBeLost(3);
        Reject(3);
        Assert.False(leader.Core.TryNextAppend(3, out _));
        leader.Core.SnapshotStarted(3);
        Assert.Equal(long.MaxValue, leader.Core.NeededAfter); // the transfer itself keeps the log
        leader.Core.SnapshotEnded(3, 8);
    }

    [Fact]
    public void Entries_after_the_snapshot_are_needed_until_the_follower_has_caught_up()
    {
        Assert.Equal(8, leader.Core.NeededAfter);
        leader.Acknowledge(3, 8);
        Assert.Equal(8, leader.Core.NeededAfter);
        Append(10);
        leader.Acknowledge(3, 9);
        leader.Tick(2 * TestCluster.Options.HeartbeatTicks);
        Assert.Equal(9, leader.Core.NeededAfter);
        leader.Core.MessagesMayBeLost(3);
        Assert.Equal(9, leader.Core.NeededAfter);
        leader.Acknowledge(3, 20);
        leader.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.Equal(long.MaxValue, leader.Core.NeededAfter);
        Append(10);
        leader.Tick(3 * TestCluster.Options.HeartbeatTicks);
        Assert.Equal(long.MaxValue, leader.Core.NeededAfter);
    }

    [Fact]
    public void Follower_that_is_not_heard_holds_nothing()
    {
        leader.Acknowledge(3, 8);
        for (int tick = 0; tick <= TestCore.ElectionTicks; tick++)
        {
            Assert.Equal(8, leader.Core.NeededAfter);
            leader.Tick(1);
            leader.AnswerHeartbeat(2);
        }
        Assert.Equal(long.MaxValue, leader.Core.NeededAfter);
        leader.AnswerHeartbeat(3);
        Assert.Equal(8, leader.Core.NeededAfter);
    }

    [Fact]
    public void Follower_that_needs_another_snapshot_holds_nothing()
    {
        leader.Acknowledge(2, 10);
        leader.Log.CompactTo(9);
        Assert.False(leader.Core.TryNextAppend(3, out _));
        Assert.True(leader.Core.WantsSnapshot(3));
        Assert.Equal(long.MaxValue, leader.Core.NeededAfter);
    }

    private void Append(int count)
    {
        for (int i = 0; i < count; i++)
            leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
    }

    /// <summary>The server rejects the leader's probe: its log is empty.</summary>
    private void Reject(ulong server) => leader.Receive(new Message
    {
        Type = MessageType.AppendResponse,
        From = server,
        Term = leader.Core.Term,
        Rejected = true,
        Context = leader.Core.Followers().Single(follower => follower.Id == server).Next - 1,
    });
}
