using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>
/// A configuration is in effect as soon as it is in the log (thesis §4.1). So a voter is removed, or a learner
/// promoted, only if a majority of the resulting voters writes.
/// </summary>
public sealed class WritingMajorityTests
{
    private const int ElectionTicks = TestCore.ElectionTicks;

    private static readonly ClusterConfiguration Three = Configurations.Cluster([1, 2, 3]);

    [Theory]
    // The voters; those that answer; the voter to remove; the lowest id and the number of the missing voters.
    [InlineData("1 2 3", "2 3", 2, 0, 0)]
    [InlineData("1 2 3", "2 3", 1, 0, 0)]
    [InlineData("1 2 3", "2", 2, 3, 1)]
    [InlineData("1 2 3", "2", 1, 3, 1)]
    [InlineData("1 2 3", "2", 3, 0, 0)]
    [InlineData("1 2 3", "3", 3, 2, 1)]
    [InlineData("1 2", "2", 2, 0, 0)]
    [InlineData("1 2", "2", 1, 0, 0)]
    [InlineData("1 2 3 4", "2 3", 2, 0, 0)]
    [InlineData("1 2 3 4 5", "2 3", 2, 4, 2)]
    [InlineData("1 2 3 4 5", "2 3", 5, 0, 0)]
    [InlineData("1 2 3 4 5", "2 3 4", 2, 0, 0)]
    public void Voter_is_removed_if_a_majority_of_the_others_writes(
        string voters, string answering, int removed, int missing, int count)
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster(Ids(voters)));
        TickWithAnswers(leader, 2 * ElectionTicks, Ids(answering));
        Assert.True(leader.Core.IsLeader);
        AssertAdmits(leader, (ulong)removed, new MissingVoters((ulong)missing, count));
    }

    [Fact]
    public void Voter_that_is_sent_a_snapshot_does_not_write()
    {
        TestCore leader = TestCore.Leader(Three);
        leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Acknowledge(2, 2);
        leader.Core.AppliedTo(2);
        leader.Log.CompactTo(2);
        leader.Core.MessagesMayBeLost(3);
        Assert.False(leader.Core.TryNextAppend(3, out _)); // its next entry is compacted
        Assert.True(leader.Core.WantsSnapshot(3));
        leader.AnswerHeartbeat(3);
        AssertAdmits(leader, 2, new MissingVoters(3, 1));
        leader.Core.SnapshotStarted(3);
        AssertAdmits(leader, 2, new MissingVoters(3, 1));
        leader.Core.SnapshotEnded(3, 2);
        leader.Acknowledge(3, 2);
        AssertAdmits(leader, 2, default);
    }

    [Fact]
    public void Voter_that_answers_heartbeats_and_acknowledges_nothing_does_not_write()
    {
        TestCore leader = TestCore.Leader(Three);
        leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Acknowledge(2, 2);
        for (int i = 0; i < ElectionTicks; i++)
        {
            AssertAdmits(leader, 2, default);
            leader.Tick(1);
            leader.AnswerHeartbeat(3);
            leader.Acknowledge(3, 1); // an answer that acknowledges nothing new
        }
        leader.Tick(1);
        AssertAdmits(leader, 2, new MissingVoters(3, 1));
        leader.Acknowledge(3, 2);
        AssertAdmits(leader, 2, default);
    }

    [Fact]
    public void Removal_waits_for_a_voter_whose_connection_broke_just_now()
    {
        TestCore leader = TestCore.Leader(Three);
        leader.Core.MessagesMayBeLost(3);
        Assert.Equal(ChangeRefusal.NotNow, Admit(leader, 2, out _));
        leader.Acknowledge(3, 1);
        AssertAdmits(leader, 2, default);
        leader.Core.MessagesMayBeLost(3);
        TickWithAnswers(leader, ElectionTicks, 2);
        Assert.Equal(ChangeRefusal.NotNow, Admit(leader, 2, out _));
        TickWithAnswers(leader, 1, 2);
        AssertAdmits(leader, 2, new MissingVoters(3, 1));
    }

    [Fact]
    public void Young_leader_refuses_no_removal_but_waits()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Acknowledge(2, 1);
        Assert.True(leader.Core.MayChangeConfiguration);
        Assert.Equal(ChangeRefusal.NotNow, Admit(leader, 2, out MissingVoters missing));
        Assert.Equal(default, missing);
        TickWithAnswers(leader, ElectionTicks, 2);
        Assert.Equal(ChangeRefusal.NotNow, Admit(leader, 2, out _));
        leader.Acknowledge(3, 1);
        AssertAdmits(leader, 2, default);
    }

    [Fact]
    public void Learner_is_removed_and_a_fulfilled_removal_proposed_without_a_majority_that_writes()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3], learners: [4]));
        for (int i = 0; i < 2 * ElectionTicks; i++)
        {
            leader.Tick(1);
            leader.AnswerHeartbeat(2);
            leader.Core.MessagesMayBeLost(2);
        }
        AssertAdmits(leader, 3, new MissingVoters(2, 1));
        AssertAdmits(leader, 4, default);
        AssertAdmits(leader, 99, default);
    }

    [Fact]
    public void Promotion_waits_for_a_majority_that_writes_and_names_who_is_missing()
    {
        TestCore leader = TestCore.Leader(Configurations.Cluster([1, 2, 3], learners: [4]));
        leader.Acknowledge(4, 1);
        leader.Core.MessagesMayBeLost(2);
        leader.Core.MessagesMayBeLost(3);
        Assert.Null(leader.Core.NextConfiguration());
        Assert.Equal(default, leader.Core.PromotionWait);
        for (int i = 0; i <= ElectionTicks; i++)
        {
            leader.Tick(1);
            leader.AnswerHeartbeat(2);
            leader.AnswerHeartbeat(4);
        }
        Assert.Null(leader.Core.NextConfiguration());
        Assert.Equal(new PromotionWait(4, new MissingVoters(2, 2)), leader.Core.PromotionWait);
        leader.Acknowledge(2, 1);
        Assert.NotNull(leader.Core.NextConfiguration());
        Assert.Equal(default, leader.Core.PromotionWait);
    }

    private static void AssertAdmits(TestCore leader, ulong removed, MissingVoters missing)
    {
        ChangeRefusal expected = missing == default ? ChangeRefusal.None : ChangeRefusal.VotersMissing;
        Assert.Equal((expected, missing), (Admit(leader, removed, out MissingVoters named), named));
    }

    private static ChangeRefusal Admit(TestCore leader, ulong removed, out MissingVoters missing)
    {
        ClusterConfiguration next = MembershipPolicyTests.Planned(
            leader.Core.Configuration.Cluster, new(MembershipChangeKind.Remove, removed));
        return MembershipPolicy.Admit(leader.Core, next, out missing);
    }

    private static void TickWithAnswers(TestCore leader, int count, params ulong[] answering)
    {
        for (int i = 0; i < count; i++)
        {
            leader.Tick(1);
            foreach (ulong peer in answering)
                leader.AnswerHeartbeat(peer);
        }
    }

    private static ulong[] Ids(string text) => [.. text.Split(' ').Select(ulong.Parse)];
}
