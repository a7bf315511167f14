using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Learners receive the log before they count in majorities (thesis §4.2.1).</summary>
public sealed class LearnerTests
{
    private static readonly ClusterConfiguration WithLearner = Configurations.Cluster([1, 2, 3], learners: [4]);

    private static readonly int Heartbeat = TestCluster.Options.HeartbeatTicks;

    [Fact]
    public void Learner_gets_the_log_and_its_acknowledgement_commits_nothing()
    {
        TestCore leader = TestCore.Leader(WithLearner);
        leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
        Assert.True(leader.TrySend(4, out Message append));
        Assert.Equal(0, append.Position.Index);
        leader.Acknowledge(4, 2);
        Assert.Equal(1, leader.Log.Committed);
        leader.Acknowledge(3, 2);
        Assert.Equal(2, leader.Log.Committed);
    }

    [Fact]
    public void Learner_is_not_asked_for_its_vote_and_one_that_it_sends_does_not_count()
    {
        TestCore core = new(WithLearner);
        core.Tick(TestCore.ElectionTicks);
        Assert.Equal([2UL, 3UL], core.Sent().Select(request => request.To));
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 4, Term = 1 });
        Assert.Equal(RoleName.PreCandidate, core.Core.Role);
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 1 });
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 4, Term = 1 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
    }

    [Fact]
    public void Learner_does_not_count_in_the_quorum_check() // thesis §6.2
    {
        TestCore leader = TestCore.Leader(WithLearner);
        leader.Tick(TestCore.ElectionTicks);
        leader.AnswerHeartbeat(4);
        leader.Tick(TestCore.ElectionTicks - 1);
        Assert.True(leader.Core.IsLeader);
        leader.Tick(1);
        Assert.False(leader.Core.IsLeader);
    }

    [Fact]
    public void Learner_does_not_count_in_a_read_round_but_may_read() // thesis §6.4
    {
        TestCore leader = TestCore.Leader(WithLearner);
        leader.Core.Step(new Message { Type = MessageType.ReadIndex, From = 4, To = 1, Term = 1, Context = 9 }, []);
        long round = leader.Sent()[0].Context;
        leader.AnswerHeartbeat(4, round);
        Assert.Empty(leader.Sent());
        leader.AnswerHeartbeat(2, round);
        Message answer = Assert.Single(leader.Sent());
        Assert.Equal((MessageType.ReadIndexResponse, 4UL, 9L), (answer.Type, answer.To, answer.Context));
    }

    [Fact]
    public void Learner_never_campaigns_not_even_when_it_is_told_to()
    {
        TestCore learner = new(Configurations.Cluster([2, 3], learners: [1]));
        learner.Heartbeat(from: 2, term: 1);
        learner.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, Term = 1 });
        learner.Tick(10 * TestCore.ElectionTicks);
        Assert.Equal(RoleName.Follower, learner.Core.Role);
        Assert.Equal(1, learner.Core.Term);
        Assert.Empty(learner.Sent());
    }

    [Fact] // the learner may already be a voter without knowing it
    public void Learner_forgets_a_leader_that_has_fallen_silent_and_votes_when_asked()
    {
        TestCore learner = new(Configurations.Cluster([2, 3], learners: [1]));
        learner.Heartbeat(from: 2, term: 1);
        learner.Tick(TestCore.ElectionTicks - 1);
        Assert.Equal(default, learner.AskedToVote(from: 3, term: 2, last: default));
        learner.Tick(1);
        Assert.Equal(0UL, learner.Core.LeaderId);
        Assert.False(learner.Core.RequestRead(1));
        Assert.False(learner.AskedToVote(from: 3, term: 2, last: default).Rejected);
    }

    [Fact]
    public void Learner_that_has_caught_up_and_answers_is_promoted()
    {
        TestCore leader = TestCore.Leader(WithLearner);
        Assert.Null(leader.Core.NextConfiguration()); // the learner has never answered
        leader.Acknowledge(4, 1);
        leader.AnswerHeartbeat(2);
        ClusterConfiguration next = Assert.IsType<ClusterConfiguration>(leader.Core.NextConfiguration());
        Assert.Equal(Configurations.Cluster([1, 2, 3, 4]).Members, next.Members);
        leader.Propose(next);
        Assert.Null(leader.Core.NextConfiguration());
        leader.Acknowledge(2, 2);
        Assert.Equal(1, leader.Log.Committed); // the new voter counts: two of four
        leader.Acknowledge(4, 2);
        Assert.Equal(2, leader.Log.Committed);
    }

    [Fact]
    public void Learner_that_misses_more_than_a_heartbeats_worth_of_the_log_is_not_promoted()
    {
        TestCore leader = TestCore.Leader(WithLearner);
        leader.Core.Propose(40); // entry 2
        leader.Tick(Heartbeat);
        leader.Core.Propose(40); // entry 3
        leader.Tick(Heartbeat);
        leader.Core.Propose(40); // entry 4
        leader.Acknowledge(4, 1);
        Assert.Null(leader.Core.NextConfiguration());
        leader.Acknowledge(4, 2); // the log's end at the heartbeat before the last
        Assert.NotNull(leader.Core.NextConfiguration());
    }

    [Fact]
    public void Learner_that_is_silent_is_not_promoted()
    {
        TestCore leader = TestCore.Leader(WithLearner);
        leader.Acknowledge(4, 1);
        leader.Tick(2 * Heartbeat);
        Assert.NotNull(leader.Core.NextConfiguration());
        leader.Tick(1);
        Assert.Null(leader.Core.NextConfiguration());
        leader.AnswerHeartbeat(4);
        Assert.NotNull(leader.Core.NextConfiguration());
    }

    [Fact]
    public void Learner_that_is_probed_after_a_loss_is_not_promoted()
    {
        TestCore leader = TestCore.Leader(WithLearner);
        leader.Acknowledge(4, 1);
        leader.Core.MessagesMayBeLost(4);
        Assert.Null(leader.Core.NextConfiguration());
        leader.Acknowledge(4, 1);
        Assert.NotNull(leader.Core.NextConfiguration());
    }

    [Fact]
    public void Sole_voter_adds_a_learner_promotes_it_and_shrinks_back()
    {
        TestCluster cluster = new(1, joiners: 1);
        cluster.Elect(1);
        for (uint command = 1; command <= 20; command++)
            cluster[1].Propose(command);
        cluster.Settle();
        Change(new MembershipChange(MembershipChangeKind.Add, 2, Configurations.AddressOf(2)));
        cluster.Settle();
        Assert.Equal(cluster[1].Log, cluster[2].Log);
        cluster.Tick(4 * Heartbeat);
        Assert.True(cluster[1].Core.Configuration.IsVoter(2));
        Assert.Equal(cluster[1].Log, cluster[2].Applied);

        cluster.Partition(2);
        cluster[1].Propose(21);
        cluster.Settle();
        Assert.True(cluster.Committed < cluster[1].Log.Count); // a commit needs both voters
        cluster.Heal();
        cluster.Tick(Heartbeat);
        Assert.Equal(cluster.Committed, cluster[1].Log.Count);

        Change(new MembershipChange(MembershipChangeKind.Remove, 2));
        cluster.Settle();
        cluster.Partition(2);
        Assert.Equal([1UL], cluster[1].Core.Configuration.Servers);
        cluster[1].Propose(22);
        cluster.Settle();
        Assert.Equal(cluster.Committed, cluster[1].Log.Count);
        cluster.Heal();
        cluster.Tick(10 * TestCluster.ElectionTicks); // the removed server disturbs no leader
        Assert.True(cluster[1].Core.IsLeader);
        Assert.Equal(1, cluster[1].Core.Term);

        void Change(MembershipChange change)
        {
            Assert.Equal(
                ChangeRefusal.None,
                MembershipPolicy.Plan(cluster[1].Core.Configuration.Cluster, change, out ClusterConfiguration next));
            cluster[1].Propose(next);
        }
    }
}
