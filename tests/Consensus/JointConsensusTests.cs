using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// Arbitrary changes, through a configuration in which the old and the new voters decide together (§6, thesis §4.3).
/// </summary>
public sealed class JointConsensusTests
{
    /// <summary>The change from 1, 2, 3 to 1, 4, 5.</summary>
    private static readonly ClusterConfiguration Joint = Configurations.Cluster([1, 4, 5], outgoingVoters: [1, 2, 3]);

    [Fact]
    public void Commitment_needs_both_majorities()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Propose(Joint);
        leader.Acknowledge(2, 2);
        leader.Acknowledge(3, 2);
        Assert.Equal(1, leader.Log.Committed);
        leader.Acknowledge(4, 2);
        Assert.Equal(2, leader.Log.Committed);

        leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Propose(Joint);
        leader.Acknowledge(4, 2);
        leader.Acknowledge(5, 2);
        Assert.Equal(1, leader.Log.Committed);
        leader.Acknowledge(3, 2);
        Assert.Equal(2, leader.Log.Committed);
    }

    [Fact]
    public void Election_needs_both_majorities()
    {
        TestCore core = new(Joint);
        core.Tick(TestCore.ElectionTicks);
        Assert.Equal([2UL, 3UL, 4UL, 5UL], core.Sent().Select(request => request.To));
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, Term = 1 });
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 3, Term = 1 });
        Assert.Equal(RoleName.PreCandidate, core.Core.Role);
        core.Receive(new Message { Type = MessageType.PreVoteResponse, From = 5, Term = 1 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 4, Term = 1 });
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 5, Term = 1 });
        Assert.Equal(RoleName.Candidate, core.Core.Role);
        core.Receive(new Message { Type = MessageType.VoteResponse, From = 3, Term = 1 });
        Assert.True(core.Core.IsLeader);
    }

    [Fact]
    public void Leader_needs_answers_of_both_majorities_to_stay_and_to_read() // thesis §6.2, §6.4
    {
        TestCore leader = TestCore.Leader(Joint);
        leader.Core.RequestRead(1);
        long round = leader.Sent()[0].Context;
        leader.AnswerHeartbeat(4, round);
        leader.AnswerHeartbeat(5, round);
        Assert.Empty(leader.Core.Ready.Reads);
        leader.AnswerHeartbeat(2, round);
        Assert.Single(leader.Core.Ready.Reads);
        leader.Tick(TestCore.ElectionTicks);
        leader.AnswerHeartbeat(2);
        leader.AnswerHeartbeat(3);
        Assert.True(leader.Core.IsLeader);
        leader.Tick(TestCore.ElectionTicks);
        Assert.False(leader.Core.IsLeader);
    }

    [Fact]
    public void Joint_configuration_is_left_by_itself_once_it_is_committed()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Propose(Joint);
        leader.Acknowledge(2, 2);
        Assert.Null(leader.Core.NextConfiguration());
        leader.Acknowledge(5, 2);
        ClusterConfiguration next = Assert.IsType<ClusterConfiguration>(leader.Core.NextConfiguration());
        Assert.Equal(Configurations.Cluster([1, 4, 5]).Members, next.Members);
        Assert.Equal((false, false), (next.IsJoint, next.LeavesJointItself));
        Assert.Equal([2UL, 3UL], next.RemovedIds);
        leader.Propose(next);
        leader.Acknowledge(5, 3);
        Assert.Equal(3, leader.Log.Committed);
    }

    [Fact]
    public void Joint_configuration_that_does_not_leave_itself_stays()
    {
        Member[] members = [.. Joint.Members];
        TestCore leader = TestCore.Leader(new ClusterConfiguration(1, members, leavesJointItself: false));
        leader.Acknowledge(4, 1);
        leader.Acknowledge(5, 1);
        Assert.True(leader.Core.MayChangeConfiguration);
        Assert.Null(leader.Core.NextConfiguration());
        Assert.False(leader.Core.IsHandingOver);
    }

    [Fact]
    public void Leader_that_is_only_an_outgoing_voter_hands_over_before_it_is_left() // thesis §4.2.2, §3.10
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([2, 3], outgoingVoters: [1, 2, 3]));
        leader.Tick(1);
        Assert.Null(leader.Core.NextConfiguration());
        Message[] sent = leader.Sent();
        Assert.True(leader.Core.IsHandingOver);
        Assert.Equal((MessageType.TimeoutNow, 2UL), (Assert.Single(sent).Type, sent[0].To));
        Assert.False(leader.Core.MayChangeConfiguration);
    }

    [Fact]
    public void Outgoing_voter_may_lead_but_is_not_handed_over_to()
    {
        TestCore follower = new(Configurations.Cluster([2, 3], outgoingVoters: [1, 2, 3]));
        follower.Heartbeat(from: 2, term: 1);
        follower.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, Term = 1 });
        Assert.Equal(RoleName.Follower, follower.Core.Role);
        follower.Tick(TestCore.ElectionTicks);
        Assert.Equal(RoleName.PreCandidate, follower.Core.Role);
    }

    [Fact]
    public void Whole_cluster_is_replaced_under_load_and_the_old_members_may_then_vanish()
    {
        TestCluster cluster = new(3, joiners: 3);
        cluster.Elect(1);
        for (uint command = 1; command <= 10; command++)
            cluster[1].Propose(command);
        MemberEdit[] changes =
        [
            .. Enumerable.Range(2, 2).Select(id => new MemberEdit(MemberEditKind.Remove, (ulong)id)),
            .. Enumerable.Range(4, 3).Select(id => new MemberEdit(
                MemberEditKind.AddVoter, (ulong)id, Configurations.AddressOf((ulong)id))),
        ];
        ClusterConfiguration? joint = ConfigurationEditor.EnterJoint(
            cluster[1].Core.Configuration.Cluster, leavesJointItself: true, changes, out MemberEditError _);
        cluster.Settle();
        cluster[1].Propose(joint!);
        cluster[1].Propose(11);
        cluster.Settle();
        cluster.Tick(2 * TestCluster.ElectionTicks);
        Assert.Equal([1UL, 4UL, 5UL, 6UL], cluster[1].Core.Configuration.Servers);
        cluster[2].Crash();
        cluster[3].Crash();
        Assert.True(cluster[1].HandOver());
        cluster.Settle();
        TestServer leader = Assert.IsType<TestServer>(cluster.Leader);
        Assert.True(leader.Id > 3);
        leader.Propose(MembershipPolicyTests.Planned(
            leader.Core.Configuration.Cluster, new MembershipChange(MembershipChangeKind.Remove, 1)));
        // An entry of the new term is committed, but the removal is not.
        Assert.False(leader.Core.MayChangeConfiguration);
        cluster.Settle();
        cluster[1].Crash();
        leader.Propose(12);
        cluster.Settle();
        Assert.Equal(leader.Log.Count, cluster.Committed);
        Assert.Equal(
            Enumerable.Range(1, 12).Select(command => (uint)command),
            cluster[6].Log.Where(entry => entry.Type == RecordType.Command).Select(entry => entry.PayloadChecksum));
    }
}
