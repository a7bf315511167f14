using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>§6, thesis §6.2: a leader without a quorum steps down. §5.2, §5.6: heartbeats.</summary>
public sealed class CheckQuorumTests
{
    [Fact]
    public void Leader_that_hears_from_no_quorum_for_an_election_timeout_steps_down()
    {
        TestCore leader = TestCore.Leader(term: 2, size: 5);
        leader.Tick(TestCore.ElectionTicks - 1);
        leader.AnswerHeartbeat(2);
        Assert.True(leader.Core.IsLeader);
        leader.Tick(1);
        Assert.Equal(RoleName.Follower, leader.Core.Role);
        Assert.Equal(0UL, leader.Core.LeaderId);
        Assert.Equal(new HardState(2, 1), leader.Core.HardState);
        Assert.Equal(ProposeResult.NotLeader, leader.Core.Propose(40));
    }

    [Fact]
    public void Leader_that_hears_from_a_quorum_stays()
    {
        TestCore leader = TestCore.Leader(term: 2, size: 5);
        for (int i = 0; i < 5; i++)
        {
            leader.AnswerHeartbeat(2);
            leader.Acknowledge(3, 1);
            leader.Tick(TestCore.ElectionTicks);
            Assert.True(leader.Core.IsLeader);
        }
        leader.AnswerHeartbeat(2); // an answer in the earlier period doesn't count in this one
        leader.Tick(TestCore.ElectionTicks);
        Assert.False(leader.Core.IsLeader);
    }

    [Fact]
    public void Server_alone_stays_leader()
    {
        TestCore leader = TestCore.Leader(term: 2, size: 1);
        leader.Tick(10 * TestCore.ElectionTicks);
        Assert.True(leader.Core.IsLeader);
        Assert.Empty(leader.Sent());
    }

    [Fact]
    public void Leader_that_stepped_down_sends_nothing_more() // else an isolated leader would keep sending
    {
        TestCore leader = TestCore.Leader(term: 2);
        leader.Tick(TestCore.ElectionTicks);
        leader.Sent();
        Assert.False(leader.Core.TryNextAppend(2, out _));
        leader.Tick(TestCore.ElectionTicks - 1);
        Assert.Empty(leader.Sent());
    }

    [Fact]
    public void Leader_that_is_heard_but_hears_no_other_server_gives_way()
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster.CutOneWay(2, 1);
        cluster.CutOneWay(3, 1);
        cluster.Tick(10 * TestCluster.ElectionTicks);
        TestServer leader = Assert.IsType<TestServer>(cluster.Leader);
        Assert.NotEqual(1UL, leader.Id);
        leader.Propose(1);
        cluster.Settle();
        Assert.Equal(leader.Log.Count, cluster.Committed);
    }

    [Fact]
    public void Majority_elects_another_while_the_old_leader_is_cut_off()
    {
        TestCluster cluster = new(5);
        cluster.Elect(1);
        cluster.Partition(1, 2);
        cluster.Tick(5 * TestCluster.ElectionTicks);
        Assert.False(cluster[1].Core.IsLeader);
        Assert.True(Assert.IsType<TestServer>(cluster.Leader).Id > 2);
    }

    [Fact]
    public void Heartbeats_go_to_all_in_their_interval_and_keep_followers_from_campaigning() // §5.2
    {
        TestCore leader = TestCore.Leader(term: 2);
        leader.Tick(TestCluster.Options.HeartbeatTicks - 1);
        Assert.Empty(leader.Sent());
        leader.Tick(1);
        Message[] heartbeats = leader.Sent();
        Assert.Equal([2UL, 3UL], heartbeats.Select(heartbeat => heartbeat.To));
        Assert.All(heartbeats, heartbeat => Assert.Equal(
            (MessageType.Heartbeat, 2L, 0L), (heartbeat.Type, heartbeat.Term, heartbeat.Context)));

        TestCluster cluster = new(3);
        cluster.Elect(2);
        cluster.Tick(10 * TestCluster.ElectionTicks);
        Assert.True(cluster[2].Core.IsLeader);
        Assert.All(cluster.Servers, server => Assert.Equal(1, server.Core.Term));
    }

    [Fact]
    public void Heartbeat_carries_no_commit_beyond_what_the_follower_holds()
    {
        TestCore leader = TestCore.Leader(term: 2, log: [1, 1]);
        leader.Acknowledge(2, 3);
        leader.Acknowledge(3, 1);
        Assert.Equal(3, leader.Log.Committed);
        leader.Sent();
        leader.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.Equal([3L, 1L], leader.Sent().Select(heartbeat => heartbeat.Commit));
    }

    [Fact]
    public void Heartbeat_answer_echoes_the_round()
    {
        TestCore core = new();
        Message answer = core.Receive(new Message { Type = MessageType.Heartbeat, From = 2, Term = 1, Context = 42 });
        Assert.Equal((MessageType.HeartbeatResponse, 2UL, 42L), (answer.Type, answer.To, answer.Context));
    }

    [Theory] // §5.6: broadcast time ≪ election timeout
    [InlineData(0, 10)]
    [InlineData(10, 10)]
    public void Heartbeats_must_be_more_frequent_than_election_timeouts(int heartbeatTicks, int electionTicks)
    {
        RaftOptions options = new() { HeartbeatTicks = heartbeatTicks, ElectionTicks = electionTicks };
        Assert.Throws<InvariantException>(() => new TestCore(options: options));
    }
}
