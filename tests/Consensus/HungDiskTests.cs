using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>A write or a read of the log that does not return (thesis §3.10 for the hand-over).</summary>
public sealed class HungDiskTests
{
    private static readonly int Overdue = TestCluster.Options.OverdueWriteTicks;

    [Fact]
    public void Leader_whose_write_is_overdue_hands_over_once_a_majority_without_it_has_committed()
    {
        TestCore leader = LeaderWithWriteOut();
        TickWithAnswers(leader, Overdue - 1);
        Assert.False(leader.Core.LogWriteIsOverdue);
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(40));
        TickWithAnswers(leader, 1);
        Assert.True(leader.Core.LogWriteIsOverdue);
        Assert.Equal(ProposeResult.DiskHangs, leader.Core.Propose(40));
        Assert.False(leader.Core.MayChangeConfiguration);
        TickWithAnswers(leader, 1);
        Assert.False(leader.Core.IsHandingOver); // nothing proves that others can write

        long last = leader.Log.Last.Index;
        leader.Acknowledge(2, last - 1);
        leader.Acknowledge(3, last);
        Assert.Equal(last - 1, leader.Log.Committed);
        leader.Core.Tick();
        Assert.True(leader.Core.IsHandingOver);
        Message told = Assert.Single(leader.Sent(), message => message.Type == MessageType.TimeoutNow);
        Assert.Equal(3UL, told.To); // it has acknowledged furthest
    }

    [Fact]
    public void Leader_whose_write_is_overdue_leads_and_confirms_reads_until_then()
    {
        TestCore leader = LeaderWithWriteOut();
        TickWithAnswers(leader, Overdue + TestCore.ElectionTicks);
        Assert.True(leader.Core.IsLeader);
        Assert.True(leader.Core.RequestRead(7));
        Message heartbeat = leader.Sent().First(message => message is { Type: MessageType.Heartbeat, Context: > 0 });
        leader.AnswerHeartbeat(2, heartbeat.Context);
        Assert.Equal(7, Assert.Single(leader.Core.Ready.Reads).Context);
    }

    [Fact]
    public void Hand_over_is_tried_again_and_clients_get_an_answer_between_two_attempts()
    {
        TestCore leader = LeaderWithWriteOut();
        leader.Acknowledge(2, leader.Log.Last.Index);
        leader.Acknowledge(3, leader.Log.Last.Index);
        TickWithAnswers(leader, Overdue);
        Assert.Equal(ProposeResult.HandingOver, leader.Core.Propose(40));
        TickWithAnswers(leader, TestCore.ElectionTicks);
        Assert.Equal(ProposeResult.DiskHangs, leader.Core.Propose(40));
        TickWithAnswers(leader, TestCore.ElectionTicks);
        Assert.Equal(ProposeResult.HandingOver, leader.Core.Propose(40));
    }

    [Fact]
    public void Leader_whose_write_has_returned_goes_on_and_the_next_write_has_its_own_time()
    {
        TestCore leader = LeaderWithWriteOut();
        TickWithAnswers(leader, Overdue);
        leader.Core.LogWriteEnded(isNextOut: true);
        Assert.Equal(ProposeResult.Accepted, leader.Core.Propose(40));
        TickWithAnswers(leader, Overdue - 1);
        Assert.False(leader.Core.LogWriteIsOverdue);
        leader.Core.LogWriteEnded(isNextOut: false);
        TickWithAnswers(leader, 2 * Overdue);
        Assert.False(leader.Core.LogWriteIsOverdue);
    }

    [Fact]
    public void Server_whose_write_is_overdue_grants_no_vote_and_no_pre_vote()
    {
        TestCore voter = FollowerWithOverdueWrite();
        Assert.True(voter.AskedToPreVote(3, term: 2, last: default).Rejected);
        Assert.True(voter.AskedToVote(3, term: 2, last: default).Rejected);
        Assert.Equal(new HardState(2, 0), voter.Core.HardState);
        voter.Core.LogWriteEnded(isNextOut: false);
        Assert.False(voter.AskedToVote(3, term: 2, last: default).Rejected);
    }

    [Fact]
    public void Server_whose_write_is_overdue_does_not_campaign_and_does_not_take_over()
    {
        TestCore follower = FollowerWithOverdueWrite();
        follower.Tick(10 * TestCore.ElectionTicks);
        Assert.Equal((RoleName.Follower, 1L), (follower.Core.Role, follower.Core.Term));
        follower.Heartbeat(from: 2, term: 1);
        follower.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, Term = 1 });
        Assert.Equal((RoleName.Follower, 1L), (follower.Core.Role, follower.Core.Term));
        follower.Core.LogWriteEnded(isNextOut: false);
        follower.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, Term = 1 });
        Assert.Equal((RoleName.Candidate, 2L), (follower.Core.Role, follower.Core.Term));
    }

    [Fact]
    public void Candidate_whose_write_is_overdue_gives_up()
    {
        TestCore candidate = new();
        candidate.Campaign();
        candidate.Core.LogWriteBegun();
        candidate.Tick(Overdue + (2 * TestCore.ElectionTicks));
        Assert.Equal(RoleName.Follower, candidate.Core.Role);
    }

    [Fact]
    public void Leader_whose_read_is_overdue_steps_down_and_leads_again_only_once_the_read_has_returned()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Core.LogReadBegun();
        TickWithAnswers(leader, Overdue - 1);
        Assert.True(leader.Core.IsLeader);
        TickWithAnswers(leader, 1);
        Assert.Equal(RoleName.Follower, leader.Core.Role);
        leader.Tick(10 * TestCore.ElectionTicks);
        Assert.Equal((RoleName.Follower, 1L), (leader.Core.Role, leader.Core.Term));
        leader.Heartbeat(from: 2, term: 2);
        leader.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, Term = 2 });
        Assert.Equal((RoleName.Follower, 2L), (leader.Core.Role, leader.Core.Term));
        leader.Core.LogReadEnded(isNextOut: false);
        leader.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, Term = 2 });
        Assert.Equal((RoleName.Candidate, 3L), (leader.Core.Role, leader.Core.Term));
    }

    [Fact]
    public void Server_whose_read_is_overdue_votes_for_others()
    {
        TestCore voter = new(term: 1);
        voter.Core.LogReadBegun();
        voter.Tick(Overdue);
        Assert.False(voter.AskedToVote(3, term: 2, last: default).Rejected);
    }

    [Fact]
    public void Only_voter_leads_though_its_read_is_overdue()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1]));
        leader.Core.LogReadBegun();
        leader.Tick(2 * Overdue);
        Assert.True(leader.Core.IsLeader);
        Assert.False(leader.Core.LogReadIsOverdue);
    }

    private static TestCore LeaderWithWriteOut()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Core.Propose(40);
        leader.Core.LogWriteBegun();
        return leader;
    }

    private static TestCore FollowerWithOverdueWrite()
    {
        TestCore follower = new(term: 1);
        follower.Heartbeat(from: 2, term: 1);
        follower.Core.LogWriteBegun();
        follower.Tick(Overdue);
        follower.Sent();
        return follower;
    }

    private static void TickWithAnswers(TestCore leader, int count)
    {
        for (int i = 0; i < count; i++)
        {
            leader.AnswerHeartbeat(2);
            leader.AnswerHeartbeat(3);
            leader.Tick(1);
        }
    }
}
