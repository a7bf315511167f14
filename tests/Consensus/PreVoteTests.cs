using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>PreVote (thesis §9.6), and its refusal while a leader is heard (§6, third issue).</summary>
public sealed class PreVoteTests
{
    [Fact]
    public void Pre_campaign_asks_for_the_next_term_and_changes_none()
    {
        TestCore core = new(term: 3, vote: 2, log: [1]);
        core.Tick(TestCore.ElectionTicks);
        Assert.Equal(RoleName.PreCandidate, core.Core.Role);
        Assert.Equal(new HardState(3, 2), core.Core.HardState);
        Assert.All(core.Sent(), request =>
            Assert.Equal(
                (MessageType.PreVote, 4L, new LogPosition(1, 1)), (request.Type, request.Term, request.Position)));
    }

    [Fact]
    public void Grant_changes_neither_term_nor_vote_nor_timeout_and_may_be_given_to_several()
    {
        TestCore core = new(term: 3, vote: 1);
        core.Tick(TestCore.ElectionTicks - 1);
        Message granted = core.AskedToPreVote(from: 2, term: 4, last: default);
        Assert.Equal((MessageType.PreVoteResponse, false, 4L), (granted.Type, granted.Rejected, granted.Term));
        Assert.False(core.AskedToPreVote(from: 3, term: 9, last: default).Rejected);
        Assert.Equal(new HardState(3, 1), core.Core.HardState);
        core.Tick(1);
        Assert.Equal(RoleName.PreCandidate, core.Core.Role);
    }

    [Fact]
    public void Request_that_is_not_for_a_newer_term_is_refused()
    {
        Message answer = new TestCore(term: 3).AskedToPreVote(from: 2, term: 3, last: new(3, 9));
        Assert.Equal((true, 3L), (answer.Rejected, answer.Term));
    }

    [Fact]
    public void Grant_for_another_term_counts_for_nothing()
    {
        TestCore core = new(term: 3);
        core.Tick(TestCore.ElectionTicks);
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 3 });
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 5 });
        Assert.Equal(RoleName.PreCandidate, core.Core.Role);
        Assert.Equal(3, core.Core.Term);
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 4 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
    }

    [Fact]
    public void Grant_that_comes_after_the_campaign_counts_for_nothing()
    {
        TestCore core = new(size: 5, term: 3);
        core.Campaign();
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 4, Term = 5 });
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 5, Term = 5 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
        Assert.Equal(4, core.Core.Term);
    }

    [Fact]
    public void Majority_of_refusals_ends_the_pre_campaign_in_the_same_term()
    {
        TestCore core = new(term: 3);
        core.Tick(TestCore.ElectionTicks);
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 3, Rejected = true });
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 3, Term = 3, Rejected = true });
        Assert.Equal(RoleName.Follower, core.Core.Role);
        Assert.Equal(3, core.Core.Term);
    }

    [Fact]
    public void Pre_candidate_steps_back_when_it_hears_from_the_leader()
    {
        TestCore core = new(term: 3);
        core.Tick(TestCore.ElectionTicks);
        core.Heartbeat(from: 2, term: 3);
        Assert.Equal(RoleName.Follower, core.Core.Role);
        Assert.Equal(2UL, core.Core.LeaderId);
    }

    [Theory] // §6: a server that hears from its leader ignores requests, and their terms too
    [InlineData(MessageType.PreVote)]
    [InlineData(MessageType.Vote)]
    public void Follower_within_the_least_election_timeout_ignores_the_request(MessageType type)
    {
        TestCore core = new();
        core.Heartbeat(from: 2, term: 1);
        Message request = new() { Type = type, From = 3, Term = 9, Position = new(9, 9) };
        core.Tick(TestCore.ElectionTicks - 1);
        Assert.Equal(default, core.Receive(request));
        Assert.Equal(new HardState(1, 0), core.Core.HardState);
    }

    [Theory]
    [InlineData(MessageType.PreVote)]
    [InlineData(MessageType.Vote)]
    public void Leader_ignores_a_request_of_a_newer_term(MessageType type) // §6
    {
        TestCore leader = TestCore.Leader(term: 2);
        Assert.Equal(default, leader.Receive(new Message { Type = type, From = 3, Term = 9, Position = new(9, 9) }));
        Assert.True(leader.Core.IsLeader);
    }

    [Fact]
    public void Server_that_was_cut_off_does_not_disturb_when_it_comes_back()
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster.Partition(3);
        cluster.Tick(10 * TestCluster.ElectionTicks);
        Assert.Equal(RoleName.PreCandidate, cluster[3].Core.Role);
        Assert.Equal(1, cluster[3].Core.Term);
        cluster.Heal();
        cluster.Tick(4 * TestCluster.ElectionTicks);
        Assert.True(cluster[1].Core.IsLeader);
        Assert.Equal(1, cluster[1].Core.Term);
        Assert.Equal(1UL, cluster[3].Core.LeaderId);
    }

    [Fact]
    public void Server_with_a_newer_term_and_a_shorter_log_can_still_be_led()
    {
        // Server 3 campaigns in term 2 without a pre-vote, and is cut off before its requests arrive.
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster[3].Tick(2 * TestCluster.ElectionTicks);
        cluster.Partition(3);
        foreach (ulong from in (ulong[])[1, 2])
            cluster[3].Receive(
                new Envelope(new Message { Type = MessageType.PreVoteResponse, From = from, To = 3, Term = 2 }, []));
        Assert.Equal(2, cluster[3].Core.Term);
        cluster[1].Propose();
        cluster.Settle();
        cluster.Heal();
        for (int i = 0; i < 10 * TestCluster.ElectionTicks; i++)
            cluster.Tick();
        TestServer leader = Assert.IsType<TestServer>(cluster.Leader);
        Assert.True(leader.Core.Term > 2);
        Assert.All(cluster.Servers, server => Assert.Equal(leader.Id, server.Core.LeaderId));
        Assert.All(cluster.Servers, server => Assert.Equal(leader.Log, server.Applied));
    }
}
