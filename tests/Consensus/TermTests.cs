using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>§5.1: terms are a logical clock.</summary>
public sealed class TermTests
{
    [Fact]
    public void Newer_term_is_adopted_and_clears_the_vote() // §5.1, figure 2
    {
        TestCore core = new(term: 2, vote: 3);
        core.Heartbeat(from: 2, term: 5);
        Assert.Equal(new HardState(5, 0), core.Core.HardState);
        Assert.Equal(2UL, core.Core.LeaderId);
    }

    [Fact]
    public void Newer_term_in_a_vote_request_that_is_refused_is_adopted_without_a_vote() // §5.1
    {
        TestCore core = new(term: 2, log: [1, 2]);
        Message answer = core.AskedToVote(from: 2, term: 7, last: new(1, 9));
        Assert.True(answer.Rejected);
        Assert.Equal(7, answer.Term);
        Assert.Equal(new HardState(7, 0), core.Core.HardState);
    }

    [Theory] // §5.1: any message of a newer term, answers included
    [InlineData(MessageType.AppendResponse)]
    [InlineData(MessageType.HeartbeatResponse)]
    [InlineData(MessageType.VoteResponse)]
    [InlineData(MessageType.ReadIndex)]
    [InlineData(MessageType.Heartbeat)]
    public void Leader_that_sees_a_newer_term_becomes_follower(MessageType type)
    {
        TestCore leader = TestCore.Leader(term: 3);
        leader.Receive(new Message { Type = type, From = 2, Term = 4, Rejected = true, Context = 1 });
        Assert.Equal(RoleName.Follower, leader.Core.Role);
        Assert.Equal(new HardState(4, 0), leader.Core.HardState);
    }

    [Fact]
    public void Refused_pre_vote_of_a_newer_term_teaches_the_term() // §5.1, thesis §9.6
    {
        TestCore core = new(term: 3);
        core.Tick(TestCore.ElectionTicks);
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 8, Rejected = true });
        Assert.Equal(8, core.Core.Term);
        Assert.Equal(RoleName.Follower, core.Core.Role);
    }

    [Theory] // §5.1: a request with a stale term is rejected
    [InlineData(MessageType.Append)]
    [InlineData(MessageType.Heartbeat)]
    public void Stale_leader_is_refused_and_told_the_newer_term(MessageType type)
    {
        TestCore core = new(term: 5);
        Message answer = core.Receive(new Message { Type = type, From = 2, Term = 4 });
        Assert.True(answer.Rejected);
        Assert.Equal(5, answer.Term);
        Assert.Equal(0UL, core.Core.LeaderId);
    }

    [Theory]
    [InlineData(MessageType.Vote)]
    [InlineData(MessageType.PreVote)]
    public void Stale_candidate_is_refused_and_told_the_newer_term(MessageType type) // §5.1
    {
        TestCore core = new(term: 5);
        Message answer = core.Receive(new Message { Type = type, From = 2, Term = 4, Position = new(9, 9) });
        Assert.True(answer.Rejected);
        Assert.Equal(5, answer.Term);
    }

    [Fact]
    public void Stale_answers_count_for_nothing() // §5.1
    {
        TestCore core = new(term: 3, size: 5);
        core.Campaign();
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 3 });
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 3, Term = 3 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);

        TestCore leader = TestCore.Leader(term: 3);
        leader.Core.Step(
            new Message { Type = MessageType.AppendResponse, From = 2, To = 1, Term = 2, Position = new(0, 1) }, []);
        Assert.Equal(0, leader.Log.Committed);
    }

    [Fact]
    public void Stale_leader_learns_the_newer_term_when_it_comes_back() // §5.1
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster.Partition(1);
        cluster.Elect(2);
        Assert.True(cluster[1].Core.IsLeader);
        cluster.Heal();
        cluster.Tick(2);
        Assert.Equal(RoleName.Follower, cluster[1].Core.Role);
        Assert.Equal(2UL, cluster[1].Core.LeaderId);
        Assert.Equal(cluster[2].Core.Term, cluster[1].Core.Term);
    }

    [Fact]
    public void Term_of_the_log_counts_as_seen_after_a_restart() // figure 2
    {
        TestCore core = new(term: 2, vote: 3, log: [1, 4]);
        Assert.Equal(new HardState(4, 0), core.Core.HardState);
    }
}
