using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Leadership transfer (thesis §3.10).</summary>
public sealed class HandOverTests
{
    [Fact]
    public void Target_that_holds_the_whole_log_is_told_at_once_and_no_proposal_is_taken_meanwhile()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        Assert.True(leader.Core.HandOver());
        Assert.True(leader.Core.IsHandingOver);
        Message told = Assert.Single(leader.Sent());
        Assert.Equal((MessageType.TimeoutNow, 2UL, 1L), (told.Type, told.To, told.Term));
        Assert.Equal(ProposeResult.HandingOver, leader.Core.Propose(40));
        Assert.Equal(1, leader.Log.Last.Index);
        Assert.False(leader.Core.MayChangeConfiguration);
        Assert.Empty(leader.Sent()); // only once
    }

    [Fact]
    public void Target_that_misses_entries_gets_them_first()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Core.Propose(40);
        Assert.True(leader.Core.HandOver());
        Assert.Empty(leader.Sent());
        Assert.True(leader.TrySend(2, out Message append));
        Assert.Equal(1, append.Position.Index);
        leader.Acknowledge(3, 2); // another server holds the entries
        Assert.Empty(leader.Sent());
        leader.Acknowledge(2, 2);
        Assert.Equal(MessageType.TimeoutNow, Assert.Single(leader.Sent()).Type);
    }

    [Fact]
    public void Most_up_to_date_voter_that_answers_is_chosen()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3, 4], learners: [5]));
        leader.Core.Propose(40);
        leader.Core.Propose(40);
        leader.Acknowledge(5, 3); // a learner can't lead
        leader.Acknowledge(4, 3);
        leader.Tick(TestCore.ElectionTicks - 1);
        leader.AnswerHeartbeat(2);
        leader.AnswerHeartbeat(3);
        leader.Acknowledge(3, 2);
        leader.Tick(2); // server 4 has been silent for longer than an election timeout
        Assert.True(leader.Core.IsLeader);
        Assert.True(leader.Core.HandOver());
        leader.Acknowledge(2, 3);
        Assert.DoesNotContain(leader.Sent(), message => message.Type == MessageType.TimeoutNow);
        leader.Acknowledge(3, 3);
        Assert.Equal(3UL, Assert.Single(leader.Sent(), message => message.Type == MessageType.TimeoutNow).To);
    }

    [Fact]
    public void Operator_s_target_is_told_even_if_another_voter_is_as_far()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3], learners: [4]));
        Assert.Equal(HandOverStart.Leads, leader.Core.HandOverTo(1));
        Assert.Equal(HandOverStart.NoVoter, leader.Core.HandOverTo(4));
        Assert.Equal(HandOverStart.NoVoter, leader.Core.HandOverTo(9));
        Assert.False(leader.Core.IsHandingOver);
        Assert.Equal(HandOverStart.Begun, leader.Core.HandOverTo(3));
        Message told = Assert.Single(leader.Sent());
        Assert.Equal((MessageType.TimeoutNow, 3UL), (told.Type, told.To));
        Assert.Equal(HandOverStart.Refused, leader.Core.HandOverTo(2)); // one at a time
    }

    [Fact]
    public void Operator_s_target_that_is_silent_is_refused()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Tick(TestCore.ElectionTicks - 1);
        leader.AnswerHeartbeat(2);
        leader.Tick(2);
        Assert.True(leader.Core.IsLeader);
        Assert.Equal(HandOverStart.Refused, leader.Core.HandOverTo(3));
        Assert.Equal(HandOverStart.Begun, leader.Core.HandOverTo(2));
    }

    [Fact]
    public void Hand_over_without_another_voter_that_answers_is_refused_and_changes_nothing()
    {
        TestCore alone = TestCore.Leader(Configurations.Cluster([1], learners: [2]));
        alone.Acknowledge(2, 1);
        Assert.False(alone.Core.HandOver());
        Assert.Equal(ProposeResult.Accepted, alone.Core.Propose(40));

        TestCore unheard = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        unheard.Tick(TestCore.ElectionTicks);
        Assert.True(unheard.Core.HandOver());
        unheard = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        unheard.Tick(TestCore.ElectionTicks + 1);
        Assert.True(unheard.Core.IsLeader);
        Assert.False(unheard.Core.HandOver());
        Assert.False(new TestCore().Core.HandOver());
    }

    [Fact]
    public void Hand_over_that_takes_an_election_timeout_is_given_up()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        Assert.True(leader.Core.HandOver());
        leader.Tick(TestCore.ElectionTicks - 1);
        leader.AnswerHeartbeat(2);
        Assert.Equal(ProposeResult.HandingOver, leader.Core.Propose(40));
        leader.Tick(1);
        Assert.False(leader.Core.IsHandingOver);
        Assert.True(leader.Core.IsLeader);
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(40));
        Assert.True(leader.Core.MayChangeConfiguration);
    }

    [Fact]
    public void Leader_elected_again_does_not_remember_a_hand_over()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        Assert.True(leader.Core.HandOver());
        leader.Sent();
        leader.Heartbeat(from: 2, term: 2);
        Assert.False(leader.Core.IsHandingOver);
        leader.Campaign();
        leader.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 3 });
        Assert.True(leader.Core.IsLeader);
        Assert.False(leader.Core.IsHandingOver);
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(40));
    }

    [Fact]
    public void Server_that_is_told_campaigns_at_once_without_a_pre_vote()
    {
        TestCore follower = new();
        follower.Heartbeat(from: 2, term: 1);
        follower.Core.Step(new Message { Type = MessageType.TimeoutNow, From = 2, To = 1, Term = 1 }, []);
        Assert.Equal((RoleName.Candidate, new HardState(2, 1)), (follower.Core.Role, follower.Core.HardState));
        Message[] requests = follower.Sent();
        Assert.Equal([2UL, 3UL], requests.Select(request => request.To));
        Assert.All(requests, request => Assert.Equal(
            (MessageType.Vote, 2L, 1L), (request.Type, request.Term, request.Context)));
    }

    [Theory]
    [InlineData(3, 1)] // not the leader
    [InlineData(2, 0)] // a message of an earlier term
    public void Only_the_leader_of_the_term_can_tell_a_server_to_campaign(ulong from, long term)
    {
        TestCore follower = new(term: 1);
        follower.Heartbeat(from: 2, term: 1);
        follower.Receive(new Message { Type = MessageType.TimeoutNow, From = from, Term = term });
        Assert.Equal(RoleName.Follower, follower.Core.Role);
        Assert.Equal(1, follower.Core.Term);
    }

    [Fact]
    public void Voter_does_not_protect_a_leader_that_asked_for_the_election() // thesis §4.2.3: "the disruption flag"
    {
        TestCore voter = new();
        voter.Heartbeat(from: 2, term: 1);
        Message request = new() { Type = MessageType.Vote, From = 3, Term = 2 };
        Assert.Equal(default, voter.Receive(request));
        Assert.Equal(
            (MessageType.VoteResponse, false),
            (voter.Receive(request with { Context = 1 }).Type, voter.Receive(request).Rejected));
        Assert.Equal(new HardState(2, 3), voter.Core.HardState);

        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        Message granted = leader.Receive(
            new Message { Type = MessageType.Vote, From = 3, Term = 2, Position = new(1, 1), Context = 1 });
        Assert.Equal((MessageType.VoteResponse, false), (granted.Type, granted.Rejected));
        Assert.Equal(RoleName.Follower, leader.Core.Role);
    }

    [Fact]
    public void Flag_on_a_pre_vote_means_nothing()
    {
        TestCore voter = new();
        voter.Heartbeat(from: 2, term: 1);
        Assert.Equal(
            default, voter.Receive(new Message { Type = MessageType.PreVote, From = 3, Term = 2, Context = 1 }));
    }

    [Fact]
    public void Cluster_has_a_new_leader_without_an_election_timeout_and_the_old_one_follows()
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster[1].Propose(1);
        cluster.Settle();
        Assert.True(cluster[1].HandOver());
        cluster.Settle();
        TestServer leader = Assert.IsType<TestServer>(cluster.Leader);
        Assert.NotEqual(1UL, leader.Id);
        Assert.Equal((2, 1), (leader.Core.Term, leader.HandOversWon));
        Assert.Equal(RoleName.Follower, cluster[1].Core.Role);
        Assert.Equal(ProposeResult.Accepted, leader.Propose(2));
        cluster.Settle();
        Assert.Equal(leader.Log.Count, cluster.Committed);
    }

    [Fact]
    public void Lost_hand_over_message_costs_an_election_timeout_and_nothing_else()
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster.IsLost = message => message.Type == MessageType.TimeoutNow;
        Assert.True(cluster[1].HandOver());
        cluster.Settle();
        Assert.Equal(ProposeResult.HandingOver, cluster[1].Propose(1));
        cluster.Tick(TestCluster.ElectionTicks);
        Assert.Equal(ProposeResult.Accepted, cluster[1].Propose(1));
        cluster.Settle();
        Assert.Equal(1, cluster[1].Core.Term);
        Assert.Equal(cluster[1].Log.Count, cluster.Committed);
    }
}
