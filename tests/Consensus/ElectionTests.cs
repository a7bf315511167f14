using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Leader election (§5.2), the log that may win it (§5.4.1), and its times (§5.6).</summary>
public sealed class ElectionTests
{
    [Fact]
    public void Server_starts_as_a_follower_without_a_leader() // §5.2
    {
        TestCore core = new(term: 4, vote: 2);
        Assert.Equal(RoleName.Follower, core.Core.Role);
        Assert.Equal(0UL, core.Core.LeaderId);
        Assert.Equal(new HardState(4, 2), core.Core.HardState);
        Assert.Empty(core.Sent());
    }

    [Fact]
    public void Server_is_settled_while_it_leads_or_hears_from_the_leader()
    {
        Assert.True(TestCore.Leader(term: 1).Core.IsSettled);
        TestCore follower = new();
        Assert.False(follower.Core.IsSettled);
        follower.Heartbeat(2, term: 1);
        Assert.True(follower.Core.IsSettled);
        follower.Tick(2 * TestCluster.Options.HeartbeatTicks + 1);
        Assert.False(follower.Core.IsSettled);
        follower.Campaign();
        Assert.False(follower.Core.IsSettled);
    }

    [Fact]
    public void Election_timeout_is_drawn_from_one_to_two_minimums() // §5.2
    {
        HashSet<int> timeouts = [];
        for (int seed = 0; seed < 500; seed++)
        {
            ElectionTimer timer = new(TestCore.ElectionTicks, new Random(seed));
            int ticks = 1;
            while (!timer.Tick())
                ticks++;
            timeouts.Add(ticks);
        }
        Assert.Equal(Enumerable.Range(TestCore.ElectionTicks, TestCore.ElectionTicks), timeouts.Order());
    }

    [Fact]
    public void Each_campaign_draws_a_new_timeout() // §5.2: so that split votes are rare
    {
        FixedRandom random = new() { Value = 0 };
        RaftCore core = new(1, Configurations.History(1, 2, 3), TestCluster.Options, default, new TermRuns(), random);
        random.Value = 5;
        for (int i = 0; i < TestCore.ElectionTicks; i++)
            core.Tick();
        Assert.Equal(2, core.Ready.Messages.Count);
        for (int i = 0; i < TestCore.ElectionTicks + 4; i++)
            core.Tick();
        Assert.Equal(2, core.Ready.Messages.Count);
        core.Tick();
        Assert.Equal(4, core.Ready.Messages.Count);
    }

    [Fact]
    public void Candidate_increments_its_term_votes_for_itself_and_asks_all_others() // §5.2
    {
        TestCore core = new(size: 5, term: 3, log: [1, 3]);
        core.Tick(TestCore.ElectionTicks);
        Assert.Equal(4, core.Sent().Length);
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 4 });
        core.Core.Step(new Message { Type = MessageType.PreVoteResponse, From = 3, To = 1, Term = 4 }, []);
        Assert.Equal(RoleName.Candidate, core.Core.Role);
        Assert.Equal(new HardState(4, 1), core.Core.HardState);
        Message[] requests = core.Sent();
        Assert.Equal([2UL, 3UL, 4UL, 5UL], requests.Select(request => request.To));
        Assert.All(requests, request => Assert.Equal(
            (MessageType.Vote, 4L, new LogPosition(3, 2)), (request.Type, request.Term, request.Position)));
    }

    [Fact]
    public void Majority_wins_and_one_vote_fewer_does_not() // §5.2
    {
        TestCore core = new(size: 5);
        core.Campaign();
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 1 });
        // A second vote of the same server doesn't count.
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 1 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 3, Term = 1 });
        Assert.Equal(RoleName.Leader, core.Core.Role);
        Assert.Equal(1UL, core.Core.LeaderId);
    }

    [Fact]
    public void Late_vote_of_an_earlier_term_does_not_count() // §5.1: a stale answer is ignored
    {
        TestCore core = new();
        core.Campaign();
        core.Campaign();
        Assert.Equal(2, core.Core.Term);
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 1 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
    }

    [Fact]
    public void Majority_of_refusals_ends_the_campaign() // §5.2
    {
        TestCore core = new();
        core.Campaign();
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 2, Term = 1, Rejected = true });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 3, Term = 1, Rejected = true });
        Assert.Equal(RoleName.Follower, core.Core.Role);
        Assert.Equal(new HardState(1, 1), core.Core.HardState);
    }

    [Fact]
    public void One_vote_a_term_first_come_first_served() // §5.2
    {
        TestCore core = new();
        Assert.False(core.AskedToVote(from: 2, term: 1, last: default).Rejected);
        Assert.True(core.AskedToVote(from: 3, term: 1, last: new(1, 9)).Rejected);
        Assert.Equal(new HardState(1, 2), core.Core.HardState);
        Assert.False(core.AskedToVote(from: 3, term: 2, last: default).Rejected);
    }

    [Fact]
    public void Repeated_request_of_the_same_candidate_is_granted_again() // §5.5: idempotent
    {
        TestCore core = new();
        Assert.False(core.AskedToVote(from: 2, term: 1, last: default).Rejected);
        Assert.False(core.AskedToVote(from: 2, term: 1, last: default).Rejected);
    }

    [Fact]
    public void Restart_remembers_the_vote() // figure 2: votedFor is persistent
    {
        TestCluster cluster = new(3);
        cluster.IsLost = message => message.Type == MessageType.VoteResponse;
        cluster[2].Tick(2 * TestCluster.ElectionTicks);
        cluster.Settle();
        Assert.Equal(new HardState(1, 2), cluster[1].Stable);
        cluster[1].Crash();
        cluster.Restart(1);
        Assert.Equal(new HardState(1, 2), cluster[1].Core.HardState);
        cluster.Settle();
        cluster[1].Receive(new Envelope(
            new Message { Type = MessageType.Vote, From = 3, To = 1, Term = 1, Position = new(9, 9) }, []));
        Assert.True(cluster.Network[^1].Message.Rejected);
    }

    [Fact]
    public void Vote_leaves_only_once_it_is_durable() // figure 2: before responding to RPCs
    {
        TestCluster cluster = new(3);
        cluster[1].DiskIsStalled = true;
        cluster[2].Tick(2 * TestCluster.ElectionTicks);
        cluster[3].Crash();
        cluster.Settle();
        Assert.Equal(new HardState(1, 2), cluster[1].Core.HardState);
        Assert.Equal(RoleName.Candidate, cluster[2].Core.Role);
        cluster[1].DiskIsStalled = false;
        cluster.Settle();
        Assert.Equal(RoleName.Leader, cluster[2].Core.Role);
    }

    [Fact]
    public void Candidate_steps_back_when_it_hears_from_the_leader_of_its_term() // §5.2
    {
        TestCore core = new();
        core.Campaign();
        EntryRange taken = core.Append(from: 2, term: 1, previous: default, [1]);
        Assert.Equal(new EntryRange(1, 1), taken);
        Assert.Equal(RoleName.Follower, core.Core.Role);
        Assert.Equal(2UL, core.Core.LeaderId);
        Assert.Equal(new HardState(1, 1), core.Core.HardState);
    }

    [Fact]
    public void Candidate_ignores_the_leader_of_an_earlier_term() // §5.2
    {
        TestCore core = new();
        core.Campaign();
        core.Campaign();
        core.Append(from: 2, term: 1, previous: default, [1]);
        Assert.Equal(RoleName.Candidate, core.Core.Role);
        Assert.Equal(0, core.Log.Last.Index);
    }

    [Fact]
    public void Follower_that_knows_its_leader_votes_for_no_other_in_that_term() // Election Safety
    {
        TestCore core = new();
        core.Heartbeat(from: 2, term: 1);
        Assert.True(core.AskedToVote(from: 3, term: 1, last: new(1, 1)).Rejected);
        Assert.Equal(new HardState(1, 0), core.Core.HardState);
    }

    [Fact]
    public void Split_vote_elects_no_leader_and_the_next_timeout_decides() // §5.2
    {
        TestCluster cluster = new(4);
        foreach (ulong id in (ulong[])[1, 2])
            cluster[id].Tick((2 * TestCluster.ElectionTicks) - 1 - (int)id);
        // Each side hears its own candidate first.
        cluster.Partition(1, 3);
        cluster[1].PeerLost(2);
        cluster.IsLost = message => message.Type is MessageType.PreVote;
        foreach (ulong id in (ulong[])[1, 2])
            Vote(cluster, id, id + 2);
        Assert.Equal(RoleName.Candidate, cluster[1].Core.Role);
        Assert.Equal(RoleName.Candidate, cluster[2].Core.Role);
        Assert.Equal([1UL, 2UL, 1UL, 2UL], cluster.Servers.Select(server => server.Stable.Vote));
        cluster.IsLost = _ => false;
        cluster.Heal();
        cluster.Elect(2);
        Assert.Equal(2, cluster[2].Core.Term);
    }

    [Fact]
    public void Follower_resets_its_timeout_when_it_hears_from_the_leader_or_votes() // §5.2
    {
        TestCore core = new();
        core.Tick(TestCore.ElectionTicks - 1);
        core.Heartbeat(from: 2, term: 1);
        core.Tick(TestCore.ElectionTicks - 1);
        core.Append(from: 2, term: 1, previous: default, [1]);
        core.Tick(TestCore.ElectionTicks - 1);
        Assert.Equal(RoleName.Follower, core.Core.Role);
        core.Tick(1);
        Assert.Equal(RoleName.PreCandidate, core.Core.Role);

        TestCore voter = new();
        voter.Tick(TestCore.ElectionTicks - 1);
        voter.AskedToVote(from: 2, term: 1, last: default);
        voter.Tick(TestCore.ElectionTicks - 1);
        Assert.Equal(RoleName.Follower, voter.Core.Role);
    }

    [Fact]
    public void Server_that_is_no_voter_never_campaigns()
    {
        RaftCore core = new(
            9, Configurations.History(1, 2, 3), TestCluster.Options, default, new TermRuns(), new FixedRandom());
        for (int i = 0; i < 10 * TestCore.ElectionTicks; i++)
            core.Tick();
        Assert.Equal(RoleName.Follower, core.Role);
        Assert.Empty(core.Ready.Messages);
    }

    [Theory] // §5.4.1: the log with the later last term is more up-to-date; if the terms are equal, the longer log
    [InlineData(3, 2, true)]
    [InlineData(3, 3, true)]
    [InlineData(4, 1, true)]
    [InlineData(3, 1, false)]
    [InlineData(2, 9, false)]
    [InlineData(0, 0, false)]
    public void Vote_goes_only_to_a_log_that_is_at_least_as_up_to_date(long lastTerm, long lastIndex, bool isGranted)
    {
        TestCore core = new(term: 4, log: [2, 3]);
        Assert.Equal(!isGranted, core.AskedToPreVote(from: 2, term: 5, last: new(lastTerm, lastIndex)).Rejected);
        Assert.Equal(!isGranted, core.AskedToVote(from: 2, term: 5, last: new(lastTerm, lastIndex)).Rejected);
        Assert.Equal(isGranted ? 2UL : 0UL, core.Core.HardState.Vote);
    }

    private static void Vote(TestCluster cluster, ulong candidate, ulong voter)
    {
        cluster[candidate].Tick();
        foreach (ulong from in cluster.Servers.Select(server => server.Id).Where(id => id != candidate))
            cluster[candidate].Receive(new Envelope(
                new Message { Type = MessageType.PreVoteResponse, From = from, To = candidate, Term = 1 }, []));
        cluster.Settle();
        Assert.Equal(candidate, cluster[voter].Core.HardState.Vote);
    }
}
