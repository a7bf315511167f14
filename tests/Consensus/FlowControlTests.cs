using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// Appends to a follower and when they wait (thesis §10.2.1, pipelining); proposals that the leader admits.
/// </summary>
public sealed class FlowControlTests
{
    /// <summary>Options that allow several appends within a tick.</summary>
    private static readonly RaftOptions Pipelining = TestCluster.Options with { FreshAppendsMax = 4 };

    [Fact]
    public void Probe_is_one_append_and_then_waits()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out Message append));
        Assert.Equal(default, append.Position);
        Assert.False(leader.TrySend(2, out _));
        Assert.True(leader.TrySend(3, out _)); // each follower has its own window
    }

    [Fact]
    public void Appends_are_pipelined_without_waiting_once_the_follower_has_answered()
    {
        TestCore leader = Replicating(Pipelining);
        for (int i = 0; i < 3; i++)
            leader.Core.Propose(40);
        for (long previous = 1; previous <= 3; previous++)
        {
            Assert.True(leader.TrySend(2, out Message append));
            Assert.Equal((new LogPosition(1, previous), 0L), (append.Position, append.Commit));
        }
        Assert.False(leader.TrySend(2, out _)); // nothing more to send
    }

    [Fact]
    public void Window_by_count_stops_when_full_and_resumes()
    {
        TestCore leader = Replicating(Pipelining with { InflightAppendsMax = 2 });
        for (int i = 0; i < 5; i++)
            leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out _));
        Assert.True(leader.TrySend(2, out _));
        Assert.False(leader.TrySend(2, out _));
        leader.Acknowledge(2, 2);
        Assert.True(leader.TrySend(2, out Message append));
        Assert.Equal(3, append.Position.Index);
        Assert.False(leader.TrySend(2, out _));
        leader.Acknowledge(2, 4); // one answer for several appends
        Assert.True(leader.TrySend(2, out _));
        Assert.True(leader.TrySend(2, out append));
        Assert.Equal(5, append.Position.Index);
    }

    [Fact]
    public void Window_by_bytes_stops_when_full_and_resumes_and_always_admits_one()
    {
        TestCore leader = Replicating(Pipelining with { InflightBytesMax = 100 });
        for (int i = 0; i < 4; i++)
            leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out _, bytes: 60));
        Assert.True(leader.TrySend(2, out _, bytes: 60));
        Assert.False(leader.TrySend(2, out _));
        leader.Acknowledge(2, 2);
        Assert.True(leader.TrySend(2, out _, bytes: 1000));
        Assert.False(leader.TrySend(2, out _));
        leader.Acknowledge(2, 4);
        Assert.True(leader.TrySend(2, out _, bytes: 1000));
    }

    [Fact]
    public void Rejection_leads_back_to_probing_after_the_hint()
    {
        TestCore leader = Replicating();
        for (int i = 0; i < 5; i++)
            leader.Core.Propose(40);
        leader.TrySend(2, out _, count: 2); // 2, 3: lost
        leader.TrySend(2, out Message append, count: 2); // 4, 5
        Assert.Equal(3, append.Position.Index);
        leader.Reject(2, rejected: 3, hint: new(1, 1));
        Assert.True(leader.TrySend(2, out append));
        Assert.Equal(1, append.Position.Index);
        Assert.False(leader.TrySend(2, out _));
        leader.Acknowledge(2, 2);
        Assert.True(leader.TrySend(2, out append));
        Assert.Equal(2, append.Position.Index);
    }

    [Fact]
    public void Stale_rejection_is_ignored() // §5.5
    {
        TestCore leader = Replicating();
        leader.Core.Propose(40);
        leader.TrySend(2, out _);
        leader.Acknowledge(2, 2);
        leader.Reject(2, rejected: 1, hint: default);
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out Message append));
        Assert.Equal(2, append.Position.Index);
    }

    [Fact]
    public void Lost_probe_is_sent_again_when_the_follower_is_heard_from()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.TrySend(2, out Message first);
        leader.AnswerHeartbeat(3);
        Assert.False(leader.TrySend(2, out _));
        leader.AnswerHeartbeat(2);
        Assert.True(leader.TrySend(2, out Message second));
        Assert.Equal(first, second);
    }

    [Fact]
    public void Lost_peer_is_sent_again_all_that_it_has_not_acknowledged()
    {
        TestCore leader = Replicating();
        for (int i = 0; i < 5; i++)
            leader.Core.Propose(40);
        for (int i = 0; i < 5; i++)
            leader.TrySend(2, out _);
        leader.Acknowledge(2, 3);
        leader.Core.MessagesMayBeLost(2);
        Assert.True(leader.TrySend(2, out Message append, count: 3));
        Assert.Equal(3, append.Position.Index);
        Assert.False(leader.TrySend(2, out _));
        leader.Core.MessagesMayBeLost(2); // a probe is sent again too
        Assert.True(leader.TrySend(2, out append));
        Assert.Equal(3, append.Position.Index);
    }

    [Fact]
    public void Loss_of_a_server_that_is_no_member_and_loss_at_a_follower_mean_nothing()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Core.MessagesMayBeLost(9);
        leader.Core.AwaitCommit(9, 1);
        new TestCore().Core.MessagesMayBeLost(2);
        new TestCore().Core.AwaitCommit(2, 1);
        Assert.True(leader.TrySend(2, out _));
    }

    [Fact]
    public void Lost_acknowledgements_are_asked_for_again_after_an_election_timeout()
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster.IsLost = message => message.Type == MessageType.AppendResponse;
        cluster[1].Propose(1);
        cluster.Settle();
        cluster.IsLost = _ => false;
        cluster.Tick(TestCluster.ElectionTicks - 1);
        Assert.Equal(1, cluster[1].Core.Log.Committed);
        cluster.Tick(1);
        Assert.Equal(2, cluster[1].Core.Log.Committed);
    }

    [Fact]
    public void Append_is_followed_by_no_more_than_its_bytes_and_by_at_least_one_record()
    {
        TestCluster cluster = new(3, TestCluster.Options with { AppendBytesMax = 100 });
        cluster.Elect(1);
        cluster.Partition(2);
        foreach (int payload in (int[])[8, 8, 8, 500, 8])
            cluster[1].Propose(payloadLength: payload);
        cluster.Settle();
        List<int> counts = [];
        cluster.IsLost = message =>
        {
            if (message.Type == MessageType.Append && message.To == 2)
                counts.Add(message.Count);
            return false;
        };
        cluster.Heal();
        cluster.Tick(2);
        Assert.Equal([2, 1, 1, 1], counts);
        Assert.Equal(cluster[1].Log, cluster[2].Log);
    }

    [Fact]
    public void Proposals_are_held_while_each_follower_has_an_append_of_this_tick_to_acknowledge()
    {
        TestCore leader = Replicating(TestCluster.Options);
        leader.Acknowledge(3, 1);
        Assert.False(leader.Core.HoldsProposals);
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out _));
        Assert.False(leader.Core.HoldsProposals); // server 3 could get the entry at once
        Assert.True(leader.TrySend(3, out _));
        Assert.True(leader.Core.HoldsProposals);
        leader.Acknowledge(3, 2);
        Assert.False(leader.Core.HoldsProposals);
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(3, out _));
        Assert.True(leader.Core.HoldsProposals);
        leader.Core.Tick(); // a follower that answers late doesn't hold proposals longer
        Assert.False(leader.Core.HoldsProposals);
    }

    [Fact]
    public void Proposals_are_held_for_near_followers_whatever_a_distant_one_could_get()
    {
        TestCore leader = Replicating(TestCluster.Options);
        leader.Acknowledge(3, 1);
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out _));
        Assert.True(leader.TrySend(3, out _));
        leader.Acknowledge(2, 2);
        leader.Tick(2);
        leader.Acknowledge(3, 2); // two ticks away
        leader.Core.Propose(40);
        Assert.False(leader.Core.HoldsProposals);
        Assert.True(leader.TrySend(2, out _));
        Assert.True(leader.TrySend(3, out _));
        Assert.True(leader.Core.HoldsProposals);
        leader.Acknowledge(2, 3);
        Assert.False(leader.Core.HoldsProposals);
    }

    [Fact]
    public void Follower_that_asks_again_is_probed_at_once()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Acknowledge(2, 1);
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out _));
        Assert.False(leader.TrySend(2, out _));
        leader.Receive(new Message
        {
            Type = MessageType.AppendResponse,
            From = 2,
            Term = 1,
            Rejected = true,
            Context = 1,
            Position = new LogPosition(1, 1),
        });
        Assert.True(leader.TrySend(2, out Message probe));
        Assert.Equal(1, probe.Position.Index);
    }

    [Fact]
    public void Proposals_are_not_held_for_a_follower_that_is_probed_or_when_they_fill_an_append()
    {
        TestCore alone = TestCore.Leader(term: 1, size: 1);
        alone.Core.Propose(40);
        Assert.False(alone.Core.HoldsProposals);
        TestCore probing = TestCore.Leader(term: 1);
        probing.TrySend(2, out _);
        probing.TrySend(3, out _);
        Assert.False(probing.Core.HoldsProposals);
        TestCore leader = Replicating(TestCluster.Options with { AppendBytesMax = 100 });
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out _));
        Assert.True(leader.Core.HoldsProposals); // server 3 is probed
        leader.Core.Propose(60);
        Assert.False(leader.Core.HoldsProposals);
        Assert.False(new TestCore().Core.HoldsProposals);
    }

    [Fact]
    public void Log_is_replicated_as_far_as_every_member_without_need_of_a_snapshot_has_it()
    {
        TestCore leader = TestCore.Leader(term: 1);
        for (int i = 0; i < 5; i++)
            leader.Core.Propose(40);
        Assert.Equal(0, leader.Core.ReplicatedTo);
        leader.Acknowledge(2, 5);
        leader.Acknowledge(3, 3);
        Assert.Equal(3, leader.Core.ReplicatedTo);
        leader.Core.MessagesMayBeLost(3); // the progress of a slow follower still counts
        Assert.Equal(3, leader.Core.ReplicatedTo);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Core.AppliedTo(5);
        leader.Log.CompactTo(4);
        Assert.Equal(5, leader.Core.ReplicatedTo);
        Assert.Equal(1, new TestCore(log: [1]).Core.ReplicatedTo);
    }

    [Fact]
    public void Only_a_leader_sends_appends()
    {
        TestCore core = new(log: [1]);
        Assert.False(core.Core.TryNextAppend(2, out _));
        core.Campaign();
        Assert.False(core.Core.TryNextAppend(2, out _));
    }

    [Fact]
    public void Uncommitted_bytes_are_bounded_and_room_comes_back_with_commits() // ARCHITECTURE §5, back-pressure
    {
        TestCore leader = TestCore.Leader(term: 1, options: TestCluster.Options with { UncommittedBytesMax = 100 });
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(68)); // besides the 32 of the blank entry
        Assert.Equal(ProposeResult.Busy, leader.Core.Propose(1));
        Assert.Equal(2, leader.Log.Last.Index);
        leader.Acknowledge(2, 1);
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(32));
        Assert.Equal(ProposeResult.Busy, leader.Core.Propose(1));
    }

    [Fact]
    public void One_entry_is_always_admitted_when_nothing_is_pending()
    {
        TestCore leader = TestCore.Leader(term: 1, options: TestCluster.Options with { UncommittedBytesMax = 100 });
        Assert.Equal(ProposeResult.Busy, leader.Core.Propose(1000));
        leader.Acknowledge(2, 1);
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(1000));
        Assert.Equal(ProposeResult.Busy, leader.Core.Propose(1));
    }

    [Fact] // else an old leader's entries would leave no room
    public void Uncommitted_bytes_are_counted_anew_at_each_election()
    {
        TestCore leader = TestCore.Leader(term: 1, options: TestCluster.Options with { UncommittedBytesMax = 100 });
        leader.Core.Propose(68);
        leader.Heartbeat(from: 2, term: 2);
        leader.Campaign();
        leader.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 3 });
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(68));
        Assert.Equal(ProposeResult.Busy, leader.Core.Propose(1));
        leader.Core.DurableTo(leader.Log.Last);
        // Also commits the earlier leader's entries, which weren't counted.
        leader.Acknowledge(2, leader.Log.Last.Index);
        Assert.Equal(4, leader.Log.Committed);
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(1000));
    }

    /// <summary>
    /// Makes a leader of term 1 that has an answer of follower 2, and replicates to it from entry 2 on.
    /// </summary>
    private static TestCore Replicating(RaftOptions? options = null)
    {
        TestCore leader = TestCore.Leader(term: 1, size: 5, options ?? Pipelining);
        leader.TrySend(2, out _);
        leader.Acknowledge(2, 1);
        return leader;
    }
}
