using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Linearizable reads without a log entry (thesis §6.4).</summary>
public sealed class ReadIndexTests
{
    [Fact]
    public void No_read_index_before_an_entry_of_the_term_is_committed()
    {
        TestCore leader = TestCore.Leader(term: 2, log: [1, 1]);
        Assert.True(leader.Core.RequestRead(7));
        Assert.Empty(leader.Sent());
        leader.Acknowledge(2, 2); // an entry of an earlier term
        Assert.Empty(leader.Sent());
        leader.Acknowledge(2, 3);
        long round = Assert.Single(leader.Sent(), message => message.To == 2).Context;
        Assert.Empty(leader.Core.Ready.Reads);
        leader.AnswerHeartbeat(2, round);
        Assert.Equal(new ReadState(7, 3), Assert.Single(leader.Core.Ready.Reads));
    }

    [Fact] // an earlier leader may have committed more
    public void Server_alone_reads_only_once_an_entry_of_its_term_is_committed()
    {
        TestCore leader = new(size: 1, term: 1, log: [1, 1]);
        leader.Tick(TestCore.ElectionTicks);
        Assert.True(leader.Core.RequestRead(1));
        leader.Sent();
        Assert.Empty(leader.Core.Ready.Reads);
        leader.Core.DurableTo(new(2, 3));
        leader.Sent();
        Assert.Equal(new ReadState(1, 3), Assert.Single(leader.Core.Ready.Reads));
    }

    [Fact]
    public void Read_index_needs_the_answers_of_a_quorum()
    {
        TestCore leader = Ready(size: 5);
        long round = Begin(leader, context: 1);
        leader.AnswerHeartbeat(2, round);
        leader.AnswerHeartbeat(2, round); // the same server counts once
        leader.AnswerHeartbeat(3, round: 0); // an answer to a heartbeat without a round
        Assert.Empty(leader.Core.Ready.Reads);
        leader.AnswerHeartbeat(3, round);
        Assert.Single(leader.Core.Ready.Reads);
    }

    [Fact]
    public void One_round_confirms_all_requests_that_wait_when_it_begins()
    {
        TestCore leader = Ready(size: 5);
        leader.Core.RequestRead(10);
        Ask(leader, from: 2, context: 20);
        Ask(leader, from: 3, context: 30);
        Message[] heartbeats = leader.Sent();
        Assert.Equal(4, heartbeats.Length);
        leader.AnswerHeartbeat(3, heartbeats[0].Context);
        leader.AnswerHeartbeat(4, heartbeats[0].Context);
        Assert.Equal(new ReadState(10, 1), Assert.Single(leader.Core.Ready.Reads));
        Message[] answers = leader.Sent();
        Assert.All(answers, answer => Assert.Equal(
            (MessageType.ReadIndexResponse, false, 1L), (answer.Type, answer.Rejected, answer.Position.Index)));
        Assert.Equal([(2UL, 20L), (3UL, 30L)], answers.Select(answer => (answer.To, answer.Context)));
    }

    [Fact]
    public void Requests_that_come_during_a_round_share_the_next()
    {
        TestCore leader = Ready(size: 5);
        long first = Begin(leader, context: 1);
        leader.Core.RequestRead(2);
        Ask(leader, from: 3, context: 3);
        Assert.Empty(leader.Sent());
        leader.AnswerHeartbeat(2, first);
        leader.AnswerHeartbeat(3, first);
        Assert.Equal(1, Assert.Single(leader.Core.Ready.Reads).Context);
        leader.Core.Ready.Reads.Clear();

        long second = leader.Sent()[0].Context;
        Assert.True(second > first);
        leader.AnswerHeartbeat(4, first); // a late answer doesn't confirm the second round
        leader.AnswerHeartbeat(5, first);
        Assert.Empty(leader.Core.Ready.Reads);
        leader.AnswerHeartbeat(2, second);
        leader.AnswerHeartbeat(3, second);
        Assert.Equal(2, Assert.Single(leader.Core.Ready.Reads).Context);
        Assert.Equal(3, Assert.Single(leader.Sent()).Context);
    }

    [Fact]
    public void Read_index_is_the_commit_index_when_the_round_begins()
    {
        TestCore leader = Ready();
        long round = Begin(leader, context: 1);
        leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Acknowledge(2, 2);
        Assert.Equal(2, leader.Log.Committed);
        leader.AnswerHeartbeat(2, round);
        Assert.Equal(1, Assert.Single(leader.Core.Ready.Reads).Index);
    }

    [Fact]
    public void Lost_heartbeats_of_a_round_are_sent_again()
    {
        TestCore leader = Ready();
        long round = Begin(leader, context: 1);
        leader.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.All(leader.Sent(), heartbeat => Assert.Equal(round, heartbeat.Context));
        leader.AnswerHeartbeat(3, round);
        Assert.Single(leader.Core.Ready.Reads);
        leader.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.All(leader.Sent(), heartbeat => Assert.Equal(0, heartbeat.Context));
    }

    [Fact]
    public void Round_asks_the_majority_that_confirmed_the_last_one_and_all_after_a_tick()
    {
        TestCore leader = Ready();
        long first = Begin(leader, context: 1);
        leader.AnswerHeartbeat(3, first);
        leader.AnswerHeartbeat(2, first); // too late: server 2 isn't asked first next time
        leader.Core.Ready.Reads.Clear();

        leader.Core.RequestRead(2);
        Message asked = Assert.Single(leader.Sent());
        Assert.Equal((MessageType.Heartbeat, 3UL), (asked.Type, asked.To));
        leader.Tick(1);
        Assert.Equal(
            [(2UL, asked.Context), (3UL, asked.Context)],
            leader.Sent().Select(message => (message.To, message.Context)));
        leader.AnswerHeartbeat(2, asked.Context);
        Assert.Equal(2, Assert.Single(leader.Core.Ready.Reads).Context);

        leader.Core.RequestRead(3);
        Assert.Equal(2UL, Assert.Single(leader.Sent()).To);
    }

    [Fact]
    public void Round_asks_all_when_those_that_confirmed_the_last_one_are_no_majority()
    {
        TestCore leader = Ready(size: 5);
        long round = Begin(leader, context: 1);
        leader.AnswerHeartbeat(2, round);
        leader.AnswerHeartbeat(3, round);
        leader.Propose(Configurations.Cluster([1, 2, 4, 5]));
        leader.Core.RequestRead(2);
        Assert.Equal(
            [2UL, 4, 5], leader.Sent().Where(message => message.Context > round).Select(message => message.To));
    }

    [Fact]
    public void Request_of_a_follower_confirms_itself_where_it_and_the_leader_are_a_majority()
    {
        TestCore leader = Ready();
        Ask(leader, from: 3, context: 5);
        Message answer = Assert.Single(leader.Sent());
        Assert.Equal(
            (MessageType.ReadIndexResponse, 3UL, 5L, 1L),
            (answer.Type, answer.To, answer.Context, answer.Position.Index));
        Ask(leader, from: 3, context: 6, term: leader.Core.Term - 1);
        Assert.Empty(leader.Sent()); // a newer leader may have followed that term's
    }

    [Fact]
    public void Request_of_a_follower_confirms_nothing_before_an_entry_of_the_term_is_committed()
    {
        TestCore leader = TestCore.Leader(term: 2, log: [1, 1]);
        Ask(leader, from: 3, context: 5);
        Assert.Empty(leader.Sent());
    }

    [Fact]
    public void Request_of_a_learner_does_not_confirm_itself()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3], learners: [4]));
        Ask(leader, from: 4, context: 5);
        Assert.Equal(
            [MessageType.Heartbeat, MessageType.Heartbeat, MessageType.Heartbeat],
            leader.Sent().Select(message => message.Type));
    }

    [Fact]
    public void Newer_request_of_a_server_replaces_the_one_that_waits()
    {
        TestCore leader = Ready();
        leader.Core.RequestRead(1);
        leader.Core.RequestRead(2);
        leader.AnswerHeartbeat(2, leader.Sent()[0].Context);
        Assert.Equal(2, Assert.Single(leader.Core.Ready.Reads).Context);
    }

    [Fact]
    public void Deposed_leader_confirms_nothing()
    {
        TestCore leader = Ready();
        long round = Begin(leader, context: 1);
        leader.Receive(new Message { Type = MessageType.AppendResponse, From = 3, Term = 9, Rejected = true });
        leader.Core.Step(
            new Message { Type = MessageType.HeartbeatResponse, From = 2, To = 1, Term = 2, Context = round }, []);
        leader.Core.Step(
            new Message { Type = MessageType.HeartbeatResponse, From = 2, To = 1, Term = 9, Context = round }, []);
        Assert.Empty(leader.Core.Ready.Reads);
    }

    [Fact]
    public void Leader_elected_again_forgets_the_reads_of_its_earlier_term_and_repeats_no_round()
    {
        TestCore leader = Ready();
        long round = Begin(leader, context: 1);
        leader.Heartbeat(from: 2, term: 3);
        leader.Campaign();
        leader.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 4 });
        leader.Core.DurableTo(leader.Log.Last);
        leader.Acknowledge(2, leader.Log.Last.Index);
        leader.Sent();
        long next = Begin(leader, context: 2);
        Assert.True(next > round);
        leader.AnswerHeartbeat(2, round);
        Assert.Empty(leader.Core.Ready.Reads);
        leader.AnswerHeartbeat(2, next);
        Assert.Equal(2, Assert.Single(leader.Core.Ready.Reads).Context);
    }

    [Fact]
    public void Stale_leader_behind_a_partition_answers_no_read()
    {
        TestCluster cluster = new(5);
        cluster.Elect(1);
        cluster.Partition(1, 2);
        cluster.Elect(3);
        cluster[3].Propose(1);
        cluster.Settle();
        Assert.True(cluster[1].Core.IsLeader);
        Assert.True(cluster[1].RequestRead(1));
        cluster.Settle();
        Assert.Empty(cluster[1].Reads);
        Assert.True(cluster[3].RequestRead(2));
        cluster.Settle();
        Assert.Equal(new ReadState(2, cluster.Committed), Assert.Single(cluster[3].Reads));
    }

    [Fact]
    public void Follower_asks_its_leader_and_learns_the_commit_with_the_answer()
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster[1].Propose(1);
        cluster.Settle();
        Assert.Equal(2, cluster.Committed);
        Assert.True(cluster[3].Core.Log.Committed < 2);
        Assert.True(cluster[3].RequestRead(5));
        cluster.Settle();
        Assert.Equal(new ReadState(5, 2), Assert.Single(cluster[3].Reads));
        Assert.Equal(2, cluster[3].Applied.Count);
        Assert.Empty(cluster[1].Reads);
    }

    [Fact]
    public void Follower_that_has_not_the_entries_yet_is_told_of_the_commit_when_it_has()
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster[3].DiskIsStalled = true;
        cluster[1].Propose(1);
        cluster.Settle();
        cluster[3].RequestRead(5);
        cluster.Settle();
        Assert.Equal(new ReadState(5, 2), Assert.Single(cluster[3].Reads));
        Assert.True(cluster[3].Applied.Count < 2);
        cluster[3].DiskIsStalled = false;
        cluster.Settle(); // no tick: the leader tells server 3 at once
        Assert.Equal(2, cluster[3].Applied.Count);
    }

    [Fact]
    public void Server_that_knows_no_leader_can_not_ask()
    {
        TestCore core = new();
        Assert.False(core.Core.RequestRead(1));
        core.Heartbeat(from: 2, term: 1);
        Assert.True(core.Core.RequestRead(2));
        Message request = Assert.Single(core.Sent());
        Assert.Equal((MessageType.ReadIndex, 2UL, 2L), (request.Type, request.To, request.Context));
        core.Tick(TestCore.ElectionTicks);
        Assert.False(core.Core.RequestRead(3));
    }

    [Fact]
    public void Refused_or_stale_answer_is_no_read_state()
    {
        TestCore core = new(term: 2);
        core.Heartbeat(from: 2, term: 2);
        core.Receive(
            new Message { Type = MessageType.ReadIndexResponse, From = 2, Term = 2, Rejected = true, Context = 1 });
        core.Receive(new Message { Type = MessageType.ReadIndexResponse, From = 2, Term = 1, Context = 1 });
        Assert.Empty(core.Core.Ready.Reads);
        core.Receive(new Message
        {
            Type = MessageType.ReadIndexResponse,
            From = 2,
            Term = 2,
            Context = 1,
            Position = new(0, 4),
        });
        Assert.Equal(new ReadState(1, 4), Assert.Single(core.Core.Ready.Reads));
    }

    /// <summary>Makes a leader of term 2 whose first entry is committed.</summary>
    private static TestCore Ready(int size = 3)
    {
        TestCore leader = TestCore.Leader(term: 2, size);
        for (ulong peer = 2; (int)peer <= size; peer++)
            leader.Acknowledge(peer, 1);
        Assert.Equal(1, leader.Log.Committed);
        return leader;
    }

    /// <returns>Number of the round.</returns>
    private static long Begin(TestCore leader, long context)
    {
        leader.Core.RequestRead(context);
        long round = leader.Sent()[0].Context;
        Assert.True(round > 0);
        return round;
    }

    private static void Ask(TestCore leader, ulong from, long context, long? term = null) => leader.Core.Step(
        new Message
        {
            Type = MessageType.ReadIndex,
            From = from,
            To = 1,
            Term = term ?? leader.Core.Term,
            Context = context,
        },
        []);
}
