using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>The configuration in effect, and when it may change (§6, thesis §4.1).</summary>
public sealed class ConfigurationTests
{
    private static readonly ClusterConfiguration Three = Configurations.Cluster([1, 2, 3]);

    private static readonly ClusterConfiguration Four = Configurations.Cluster([1, 2, 3, 4]);

    private static readonly ClusterConfiguration Five = Configurations.Cluster([1, 2, 3, 4, 5]);

    [Fact] // §6: "regardless of whether the entry is committed"
    public void Configuration_is_in_effect_when_appended_and_committed_later()
    {
        TestCore core = new(Three);
        core.Append(from: 2, term: 1, default, [1]);
        Assert.Equal(new EntryRange(2, 2), core.Append(from: 2, term: 1, new(1, 1), Four));
        Assert.Equal((Four, 2L), (core.Core.Configuration.Cluster, core.Log.Configurations.EffectiveIndex));
        Assert.Equal((Three, 0L), (core.Log.Configurations.Committed.Cluster, core.Log.Configurations.CommittedIndex));
        core.Core.DurableTo(core.Log.Last);
        core.Heartbeat(from: 2, term: 1, commit: 1);
        Assert.Equal(Three, core.Log.Configurations.Committed.Cluster);
        core.Heartbeat(from: 2, term: 1, commit: 2);
        Assert.Equal((Four, 2L), (core.Log.Configurations.Committed.Cluster, core.Log.Configurations.CommittedIndex));
    }

    [Fact]
    public void Configuration_is_rolled_back_when_truncated() // thesis §4.1: "a server must be prepared to fall back"
    {
        TestCore core = new(Three);
        core.Append(from: 2, term: 1, default, [1]);
        core.Append(from: 2, term: 1, new(1, 1), Four);
        core.Append(from: 2, term: 1, new(1, 2), [1]);
        core.Core.DurableTo(core.Log.Last);
        core.Append(from: 3, term: 2, new(1, 2), [2]); // after the configuration, which stays
        core.Core.DurableTo(core.Log.Last);
        Assert.Equal(Four, core.Core.Configuration.Cluster);
        core.Append(from: 2, term: 3, new(1, 1), [3]);
        Assert.Equal((Three, 0L), (core.Core.Configuration.Cluster, core.Log.Configurations.EffectiveIndex));
    }

    [Fact]
    public void Configuration_that_the_log_holds_already_counts_once()
    {
        TestCore core = new(Three);
        core.Append(from: 2, term: 1, default, Four);
        Assert.True(core.Append(from: 2, term: 1, default, Four).IsEmpty);
        Assert.Equal(1, core.Log.Configurations.EffectiveIndex);
    }

    [Fact]
    public void After_a_restart_the_logs_last_is_in_effect_and_nothing_is_known_to_be_committed()
    {
        TestCluster cluster = new(1, joiners: 1);
        cluster.Elect(1);
        cluster[1].Propose(Configurations.Cluster([1], learners: [2]));
        cluster.Settle();
        cluster.Tick(TestCluster.ElectionTicks);
        Assert.Equal(
            [MemberRole.Voter, MemberRole.Voter],
            cluster[1].Core.Configuration.Cluster.Members.Select(member => member.Role));
        cluster[2].Crash();
        cluster.Restart(2);
        ConfigurationHistory history = cluster[2].Core.Log.Configurations;
        Assert.Equal((2, 0), (history.Effective.Cluster.Members.Count, history.Committed.Cluster.Members.Count));
        cluster.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.Same(history.Effective, history.Committed);
    }

    [Fact] // thesis §4.1, and the bug in single-server changes
    public void No_change_before_an_entry_of_the_term_is_committed()
    {
        TestCore leader = TestCore.Leader(term: 2, log: [1]);
        leader.Acknowledge(2, 1);
        Assert.False(leader.Core.MayChangeConfiguration);
        Assert.Throws<InvariantException>(() => leader.Propose(Four));
        leader.Acknowledge(2, 2);
        Assert.True(leader.Core.MayChangeConfiguration);
        Assert.False(new TestCore().Core.MayChangeConfiguration); // a follower changes nothing
    }

    [Fact]
    public void One_change_at_a_time() // thesis §4.1
    {
        TestCore leader = TestCore.Leader(Three);
        leader.Propose(Four);
        Assert.False(leader.Core.MayChangeConfiguration);
        Assert.Null(leader.Core.NextConfiguration());
        leader.Acknowledge(2, 2);
        Assert.False(leader.Core.MayChangeConfiguration); // two of four have the change
        leader.Acknowledge(4, 2);
        Assert.True(leader.Core.MayChangeConfiguration);
        leader.Propose(Five);
        Assert.Equal(3, leader.Log.Last.Index);
    }

    [Fact]
    public void Leader_waits_for_the_change_that_an_earlier_one_left_uncommitted()
    {
        TestCore leader = new(Three);
        leader.Append(from: 2, term: 1, default, Four);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Campaign();
        leader.Receive(new Message { Type = MessageType.VoteResponse, From = 3, Term = 2 });
        Assert.False(leader.Core.IsLeader); // two votes of four
        leader.Receive(new Message { Type = MessageType.VoteResponse, From = 4, Term = 2 });
        Assert.True(leader.Core.IsLeader);
        Assert.False(leader.Core.MayChangeConfiguration);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Acknowledge(3, 2);
        leader.Acknowledge(4, 2);
        Assert.True(leader.Core.MayChangeConfiguration);
    }

    [Fact] // thesis §4.1: "uses the new configuration, even to commit it"
    public void Configuration_counts_its_own_entrys_commitment()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2]));
        leader.Propose(Three);
        leader.Acknowledge(3, 2);
        Assert.Equal(2, leader.Log.Committed);

        TestCore shrinking = TestCore.Leader(Configurations.Cluster([1, 2]));
        shrinking.Propose(Configurations.Cluster([1], removed: 2));
        Assert.Equal(2, shrinking.Log.Committed);
    }

    [Fact]
    public void Leader_that_would_be_no_voter_can_not_propose_it() => Assert.Throws<InvariantException>(
        () => TestCore.Leader(Three).Propose(Configurations.Cluster([2, 3], removed: 1)));

    [Fact]
    public void Progress_of_servers_that_stay_is_kept_over_a_change()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 3, 5]));
        leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Acknowledge(3, 2);
        leader.Propose(Configurations.Cluster([1, 2, 3, 5])); // ordinals move
        Assert.True(leader.Core.TryNextAppend(3, out Message next));
        Assert.Equal(2, next.Position.Index); // replication continues as before
        Assert.True(leader.Core.TryNextAppend(5, out next));
        Assert.Equal(1, next.Position.Index);
        Assert.True(leader.Core.TryNextAppend(2, out next));
        Assert.Equal(3, next.Position.Index); // a new server is probed from the log's end
        leader.Acknowledge(5, 3);
        Assert.Equal(2, leader.Log.Committed); // entry 3 is on two of four
        leader.Acknowledge(3, 3);
        Assert.Equal(3, leader.Log.Committed);
    }

    [Fact]
    public void New_voter_does_not_cost_the_leader_its_quorum_before_it_could_answer()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2]));
        leader.Tick(TestCore.ElectionTicks - 2);
        leader.Propose(Three);
        leader.AnswerHeartbeat(2);
        leader.Tick(TestCore.ElectionTicks);
        Assert.True(leader.Core.IsLeader);
        leader.Tick(TestCore.ElectionTicks);
        Assert.False(leader.Core.IsLeader);
    }

    [Fact]
    public void Read_round_continues_over_a_change_and_needs_a_quorum_of_the_new_configuration() // thesis §6.4
    {
        TestCore leader = TestCore.Leader(Three);
        leader.Core.RequestRead(1);
        long round = leader.Sent()[0].Context;
        leader.Propose(Four);
        leader.AnswerHeartbeat(2, round);
        Assert.Empty(leader.Core.Ready.Reads);
        leader.AnswerHeartbeat(4, round);
        Assert.Equal(new ReadState(1, 1), Assert.Single(leader.Core.Ready.Reads));
    }

    [Fact]
    public void Read_round_that_waits_for_a_server_that_was_removed_is_confirmed_without_it()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2]));
        leader.Core.RequestRead(1);
        leader.Sent();
        leader.Propose(Configurations.Cluster([1], removed: 2));
        leader.Sent();
        Assert.Equal(1, Assert.Single(leader.Core.Ready.Reads).Context);
        leader.Core.RequestRead(2);
        leader.Sent();
        Assert.Equal(2, leader.Core.Ready.Reads[^1].Context);
    }

    [Fact]
    public void Read_of_a_server_that_was_removed_meanwhile_gets_no_answer()
    {
        TestCore leader = TestCore.Leader(Three);
        leader.Core.Step(new Message { Type = MessageType.ReadIndex, From = 3, To = 1, Term = 1, Context = 7 }, []);
        long round = leader.Sent()[0].Context;
        leader.Propose(Configurations.Cluster([1, 2], removed: 3));
        leader.AnswerHeartbeat(2, round);
        Assert.DoesNotContain(leader.Sent(), message => message.Type == MessageType.ReadIndexResponse);
    }

    [Fact]
    public void Messages_go_to_the_members_in_effect()
    {
        TestCore leader = TestCore.Leader(Three);
        leader.Propose(Configurations.Cluster([1, 2], learners: [4], removed: 3));
        leader.Tick(TestCluster.Options.HeartbeatTicks);
        Assert.Equal([2UL, 4UL], leader.Sent().Select(message => message.To));
    }

    [Fact]
    public void Change_that_a_successor_overwrites_leaves_the_old_leader_in_the_old_configuration()
    {
        TestCluster cluster = new(3, joiners: 1);
        cluster.Elect(1);
        cluster.Partition(1, 4);
        cluster[1].Propose(Configurations.Cluster([1, 2, 3, 4]));
        cluster.Settle();
        Assert.Equal(4, cluster[4].Core.Configuration.Servers.Length);
        cluster.Elect(2);
        cluster[2].Propose(1);
        cluster.Settle();
        cluster.Heal();
        cluster.Tick(TestCluster.ElectionTicks);
        Assert.Equal(3, cluster[1].Core.Configuration.Servers.Length);
        Assert.Equal(1, cluster[1].RolledBack);
        Assert.Equal(cluster[2].Log, cluster[1].Applied);
    }

    [Fact] // thesis §4.2.2, figure 4.6
    public void Server_that_alone_holds_the_configuration_that_leaves_it_out_still_campaigns()
    {
        // Leader 1 demotes server 2, and sends the entry before its own disk holds it (thesis §10.2.1). Server 1 then
        // restarts without the entry. Server 2 has the longer log, and refuses to vote for server 1.
        TestCluster cluster = new(2);
        cluster.Elect(1);
        cluster[1].DiskIsStalled = true;
        cluster[1].Propose(Configurations.Cluster([1], learners: [2]));
        cluster.Settle();
        cluster[1].Crash();
        cluster[1].DiskIsStalled = false;
        cluster.Restart(1);
        Assert.Equal((1, 2), (cluster[1].Log.Count, cluster[2].Log.Count));
        cluster.Tick(10 * TestCluster.ElectionTicks);
        // Server 2 led until its own demotion was committed, handed over, and was then promoted again.
        Assert.Equal((true, 1), (cluster[1].Core.IsLeader, cluster[1].HandOversWon));
        Assert.Equal(
            [false, true],
            cluster.CommittedConfigurations.Skip(1).Select(configuration => configuration.Members[1].IsVoter));
        Assert.Equal(ProposeResult.Accepted, cluster[1].Propose(1));
        cluster.Settle();
        Assert.Equal(cluster[1].Log.Count, cluster.Committed);
    }
}
