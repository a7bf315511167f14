using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Entries are acknowledged and counted only when they are durable (figure 2, thesis §3.8, §10.2.1).</summary>
public sealed class DurabilityTests
{
    [Fact]
    public void Follower_acknowledges_what_is_durable_and_no_more()
    {
        TestCore core = new(term: 1);
        core.Append(from: 2, term: 1, previous: default, [1, 1, 1]);
        Assert.Empty(core.Sent());
        core.Core.DurableTo(new(1, 2));
        Message first = Assert.Single(core.Sent());
        Assert.Equal(
            (MessageType.AppendResponse, 2UL, false, 2L), (first.Type, first.To, first.Rejected, first.Position.Index));
        core.Core.DurableTo(new(1, 3));
        Assert.Equal(3, Assert.Single(core.Sent()).Position.Index);
    }

    [Fact]
    public void Follower_does_not_acknowledge_what_is_durable_and_not_known_to_match()
    {
        TestCore core = new(term: 3, log: [1, 1, 1, 2, 2]);
        core.Append(from: 2, term: 3, previous: new(1, 2), []);
        Assert.Equal(2, Assert.Single(core.Sent()).Position.Index);
        core.Append(from: 2, term: 3, previous: new(1, 2), [1]);
        Assert.Equal(3, Assert.Single(core.Sent()).Position.Index);
    }

    [Fact]
    public void Completion_that_comes_before_a_new_leader_is_acknowledged_to_neither()
    {
        TestCore core = new(term: 1);
        core.Append(from: 2, term: 1, previous: default, [1]);
        core.AskedToVote(from: 3, term: 2, last: new(1, 1)); // within the timeout: ignored
        core.Tick(TestCore.ElectionTicks);
        core.Sent();
        core.Core.DurableTo(new(1, 1));
        Assert.Empty(core.Sent());
        core.Append(from: 3, term: 2, previous: new(1, 1), []);
        Assert.Equal(3UL, Assert.Single(core.Sent()).To);
    }

    [Fact]
    public void Match_with_an_earlier_leader_is_not_acknowledged_to_the_next()
    {
        TestCore core = new(term: 1);
        core.Append(from: 2, term: 1, previous: default, [1, 1]);
        core.Heartbeat(from: 3, term: 2);
        core.Core.DurableTo(new(1, 2));
        Assert.Empty(core.Sent());
        core.Append(from: 3, term: 2, previous: new(1, 1), []);
        Message answer = Assert.Single(core.Sent());
        Assert.Equal((3UL, 1L), (answer.To, answer.Position.Index));
    }

    [Fact]
    public void Completion_of_an_overwritten_entry_counts_for_nothing()
    {
        TestCore core = new(term: 1);
        core.Append(from: 2, term: 1, previous: default, [1, 1]);
        core.Core.DurableTo(new(1, 2));
        core.Append(from: 3, term: 2, previous: new(1, 1), [2]);
        Assert.Equal(1, core.Log.Durable);
        core.Sent();
        core.Core.DurableTo(new(1, 2));
        Assert.Equal(1, core.Log.Durable);
        Assert.Empty(core.Sent());
        core.Core.DurableTo(new(2, 2));
        Assert.Equal(2, Assert.Single(core.Sent()).Position.Index);
    }

    [Fact]
    public void Completion_beyond_the_log_counts_for_nothing()
    {
        RaftLog log = new(new TermRuns(), Configurations.History(1));
        log.Append(new(1, 1));
        Assert.False(log.DurableTo(new(1, 2)));
        Assert.Equal(0, log.Durable);
        Assert.True(log.DurableTo(new(1, 1)));
        Assert.False(log.DurableTo(new(1, 1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Completion_is_not_taken_for_a_later_write_of_the_same_entry(int writesKept)
    {
        // While entry (1, 1) is being written, a leader of term 2 overwrites it, and a leader of term 3 brings it back.
        // Only then the first write completes. After a crash, acknowledged entries must still be in the log.
        List<Message> sent = [];
        TestServer server = new(
            1, Configurations.Cluster([1, 2, 3]), TestCluster.Options, new FixedRandom(),
            envelope => sent.Add(envelope.Message));
        RecordHeader entry = new(RecordType.Command, new(1, 1), 8, 1);
        server.Receive(Append(from: 2, term: 1, entry));
        server.SyncOne();
        server.SyncOne();
        server.Receive(Append(from: 3, term: 2, new RecordHeader(RecordType.NoOp, new(2, 1), 0, 0)));
        server.Receive(Append(from: 2, term: 3, entry));
        server.ReportOne();
        bool isAcknowledged = server.Core.Log.Durable == 1;
        server.Crash(writesKept);
        server.Restart();
        Assert.True(isAcknowledged);
        Assert.Equal([entry], server.Log);

        static Envelope Append(ulong from, long term, RecordHeader entry) =>
            new(new Message { Type = MessageType.Append, From = from, To = 1, Term = term, Count = 1 }, [entry]);
    }

    [Fact]
    public void Conflict_waits_for_the_disk_and_is_then_resolved() // the rule above must not block forever
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster[1].DiskIsStalled = true;
        cluster.Partition(1);
        cluster[1].Propose(1);
        cluster.Elect(2);
        cluster[2].Propose(2);
        cluster.Settle();
        cluster.Heal();
        cluster.Tick(3 * TestCluster.ElectionTicks);
        Assert.Equal("1 1", cluster[1].Terms);
        Assert.Equal(0, cluster[1].Truncations);
        cluster[1].DiskIsStalled = false;
        cluster.Tick(3 * TestCluster.ElectionTicks);
        Assert.Equal("1 2 2", cluster[1].Terms);
        Assert.Equal(3, cluster[1].Applied.Count);
    }

    [Fact]
    public void Leader_counts_itself_only_once_its_own_write_is_durable() // thesis §10.2.1
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Acknowledge(from: 2, 1);
        Assert.Equal(1, leader.Log.Committed);
        leader.Core.Propose(40);
        leader.Acknowledge(from: 2, 2);
        Assert.Equal(1, leader.Log.Committed);
        leader.Core.DurableTo(new(1, 2));
        Assert.Equal(2, leader.Log.Committed);
    }

    [Fact]
    public void Followers_alone_can_commit_while_the_leader_still_writes() // thesis §10.2.1
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster[1].DiskIsStalled = true;
        cluster[1].Propose();
        cluster.Settle();
        Assert.Equal(2, cluster[1].Core.Log.Committed);
        Assert.Equal(1, cluster[1].Core.Log.Durable);
    }

    [Fact]
    public void Server_alone_commits_only_what_is_durable() // no other server could hold the entry
    {
        TestCore leader = new(size: 1);
        leader.Tick(TestCore.ElectionTicks);
        Assert.True(leader.Core.IsLeader);
        Assert.Equal(0, leader.Log.Committed);
        leader.Core.DurableTo(new(1, 1));
        Assert.Equal(1, leader.Log.Committed);
    }

    [Fact]
    public void Entries_that_were_never_synced_are_gone_after_a_crash_and_sent_again() // §5.3
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster[3].DiskIsStalled = true;
        cluster[1].Propose(1);
        cluster.Settle();
        Assert.Equal(2, cluster[3].Log.Count);
        cluster[3].Crash();
        cluster[3].DiskIsStalled = false;
        cluster.Restart(3);
        Assert.Single(cluster[3].Log);
        cluster.Settle();
        Assert.Equal(cluster[1].Log, cluster[3].Applied);
    }

    [Fact]
    public void Follower_that_lost_what_it_acknowledged_stops() // README, What is promised
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Core.Propose(40);
        leader.Core.DurableTo(new(1, 2));
        leader.Acknowledge(from: 2, 2);
        leader.Sent();
        leader.Tick(TestCluster.Options.HeartbeatTicks);
        Message heartbeat = Assert.Single(leader.Sent(), message => message.To == 2);
        Assert.Equal(2, heartbeat.Commit);

        TestCore forgetful = new(term: 1, log: [1]);
        Assert.Throws<AcknowledgedEntriesLostException>(() => forgetful.Heartbeat(from: 2, term: 1, heartbeat.Commit));
    }

    [Fact]
    public void Committed_entry_is_never_truncated()
    {
        TestCore core = new(term: 2, log: [1, 1]);
        core.Append(from: 2, term: 2, previous: new(1, 2), [], commit: 2);
        Assert.Throws<InvariantException>(() => core.Append(from: 2, term: 2, previous: new(1, 1), [2]));
    }
}
