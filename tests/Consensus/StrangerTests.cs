using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// Servers that the configuration doesn't name, removed or still unknown, must not disturb the cluster (thesis §4.2.3).
/// </summary>
public sealed class StrangerTests
{
    private static readonly ClusterConfiguration WithoutNine = Configurations.Cluster([1, 2, 3], removed: 9);

    public static TheoryData<MessageType> Types => [.. Enum.GetValues<MessageType>().Where(IsTheCores)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Removed_server_changes_no_term_and_gets_no_answer_to_any_message(MessageType type)
    {
        foreach (TestCore core in Roles(WithoutNine))
            AssertNothingChanges(core, type, from: 9, last: new(99, 99));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Stranger_changes_nothing_unless_it_leads_or_its_log_goes_further(MessageType type)
    {
        foreach (TestCore core in Roles(Configurations.Cluster([1, 2, 3])))
        {
            if (type is not (MessageType.Append or MessageType.Heartbeat))
                AssertNothingChanges(core, type, from: 8, last: core.Log.Last);
        }
    }

    [Fact]
    public void Server_ignores_messages_from_itself() =>
        AssertNothingChanges(new TestCore(term: 3), MessageType.Vote, from: 1, last: new(99, 99));

    [Fact]
    public void Stranger_that_leads_is_followed() // thesis §4.1: the entry that names the leader comes from the leader
    {
        TestCore core = new(Configurations.Cluster([]));
        core.Append(from: 7, term: 3, default, [1, 3]);
        Assert.Equal((7UL, 3L, 2L), (core.Core.LeaderId, core.Core.Term, core.Log.Last.Index));
        Assert.True(core.Core.RequestRead(5));
        core.Sent();
        core.Receive(new Message
        {
            Type = MessageType.ReadIndexResponse,
            From = 7,
            Term = 3,
            Context = 5,
            Position = new(0, 2),
        });
        Assert.Equal(new ReadState(5, 2), Assert.Single(core.Core.Ready.Reads));
        core.Receive(new Message
        {
            Type = MessageType.ReadIndexResponse,
            From = 8,
            Term = 3,
            Context = 5,
            Position = new(0, 2),
        });
        Assert.Single(core.Core.Ready.Reads); // server 8 is another stranger
    }

    [Fact]
    public void Stranger_whose_log_goes_further_gets_a_vote() // this server may lack those entries
    {
        TestCore core = new(Configurations.Cluster([1, 2, 3]), log: [1, 1]);
        Assert.False(core.AskedToPreVote(from: 8, term: 2, last: new(1, 3)).Rejected);
        Message granted = core.AskedToVote(from: 8, term: 2, last: new(1, 3));
        Assert.Equal((MessageType.VoteResponse, false, 8UL), (granted.Type, granted.Rejected, granted.To));
        Assert.Equal(new HardState(2, 8), core.Core.HardState);
    }

    [Fact]
    public void Removal_that_is_not_committed_silences_no_server_for_good()
    {
        TestCore core = new(Configurations.Cluster([1, 2, 3]));
        core.Append(from: 2, term: 1, default, Configurations.Cluster([1, 2], removed: 3));
        core.Core.DurableTo(core.Log.Last);
        core.Tick(TestCore.ElectionTicks - 1);
        core.Append(from: 3, term: 2, default, [2, 2]); // server 3 has been elected without that entry
        Assert.Equal((3UL, 3), (core.Core.LeaderId, core.Core.Configuration.Servers.Length));
    }

    [Fact]
    public void Late_message_of_a_server_that_left_does_not_trouble_the_leader()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3]));
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(3, out _));
        leader.Core.RequestRead(1);
        long round = leader.Sent()[0].Context;
        leader.Propose(Configurations.Cluster([1, 2], removed: 3));
        leader.Acknowledge(3, 2);
        leader.Reject(3, 1, default);
        leader.AnswerHeartbeat(3, round);
        leader.Core.Step(new Message { Type = MessageType.ReadIndex, From = 3, To = 1, Term = 1, Context = 5 }, []);
        leader.Core.MessagesMayBeLost(3);
        leader.Core.AwaitCommit(3, 1);
        Assert.Empty(leader.Core.Ready.Reads);
        Assert.Equal(1, leader.Log.Committed);
        leader.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.All(leader.Sent(), message => Assert.Equal(2UL, message.To));
        Assert.True(leader.Core.IsLeader);
    }

    [Fact]
    public void Removed_server_that_does_not_know_it_disturbs_no_leader_and_no_election()
    {
        TestCluster cluster = new(4);
        cluster.Elect(1);
        cluster[1].Propose(Configurations.Cluster([1, 2, 3], removed: 4));
        cluster.Settle();
        cluster.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.Equal(4, cluster[4].Core.Configuration.Servers.Length);
        cluster.Tick(10 * TestCluster.ElectionTicks);
        Assert.Equal(RoleName.PreCandidate, cluster[4].Core.Role);
        Assert.Equal((true, 1L), (cluster[1].Core.IsLeader, cluster[1].Core.Term));
        cluster[1].Crash(); // an election isn't disturbed either
        cluster.Elect(2);
    }

    private static bool IsTheCores(MessageType type) =>
        type is not (MessageType.Forward or MessageType.ForwardResponse
            or MessageType.ChangeMembers or MessageType.ChangeMembersResponse
            or MessageType.InstallSnapshot or MessageType.InstallSnapshotResponse);

    private static TestCore[] Roles(ClusterConfiguration configuration)
    {
        TestCore follower = new(configuration, term: 1);
        follower.Heartbeat(from: 2, term: 1);
        TestCore preCandidate = new(configuration);
        preCandidate.Tick(TestCore.ElectionTicks);
        TestCore candidate = new(configuration);
        candidate.Campaign();
        preCandidate.Sent();
        candidate.Sent();
        return [new(configuration, term: 3), follower, preCandidate, candidate, TestCore.Leader(configuration)];
    }

    private static void AssertNothingChanges(TestCore core, MessageType type, ulong from, LogPosition last)
    {
        (RoleName, HardState, ulong, LogPosition) before =
            (core.Core.Role, core.Core.HardState, core.Core.LeaderId, core.Log.Last);
        foreach (long term in (long[])[core.Core.Term, core.Core.Term + 1, core.Core.Term + 7])
        {
            core.Core.Step(
                new Message { Type = type, From = from, To = 1, Term = term, Position = last, Context = 1 }, []);
            Assert.Empty(core.Sent());
            Assert.Equal(before, (core.Core.Role, core.Core.HardState, core.Core.LeaderId, core.Log.Last));
        }
    }
}
