using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Requests to change the members: the configuration that follows, or the refusal.</summary>
public sealed class MembershipPolicyTests
{
    private static readonly ClusterConfiguration Three = Configurations.Cluster([1, 2, 3], default, default, 8);

    [Fact]
    public void New_member_begins_as_a_learner() // thesis §4.2.1
    {
        ClusterConfiguration next = Planned(Three, Add(4));
        Assert.Equal(Configurations.Cluster([1, 2, 3], learners: [4]).Members, next.Members);
        Assert.Equal([8UL], next.RemovedIds);
        Assert.Equal(Three.ClusterId, next.ClusterId);
    }

    [Fact]
    public void Removed_member_is_remembered()
    {
        ClusterConfiguration next = Planned(Three, Remove(2));
        Assert.Equal([1UL, 3UL], next.Members.Select(member => member.Id));
        Assert.Equal([2UL, 8UL], next.RemovedIds);
        Assert.Equal(
            Configurations.Cluster([1, 2, 3]).Members,
            Planned(Configurations.Cluster([1, 2, 3], learners: [4]), Remove(4)).Members);
    }

    [Fact]
    public void Fulfilled_request_proposes_the_same_configuration_again() // its commitment proves that
    {
        Assert.Same(Three, Planned(Three, Add(2)));
        ClusterConfiguration learning = Configurations.Cluster([1], learners: [4]);
        Assert.Same(learning, Planned(learning, Add(4)));
        Assert.Same(Three, Planned(Three, Remove(8)));
        Assert.Same(Three, Planned(Three, Remove(77)));
    }

    [Fact]
    public void Id_and_address_are_one_members_only()
    {
        AssertRefused(ChangeRefusal.IdInUse, Three, new(MembershipChangeKind.Add, 2, Configurations.AddressOf(5)));
        AssertRefused(ChangeRefusal.IdInUse, Three, new(MembershipChangeKind.Add, 1, Configurations.AddressOf(5)));
        AssertRefused(ChangeRefusal.AddressInUse, Three, new(MembershipChangeKind.Add, 5, Configurations.AddressOf(3)));
    }

    [Fact]
    public void Id_that_was_removed_is_never_used_again() // an old message must not speak for a new member
    {
        AssertRefused(ChangeRefusal.IdWasRemoved, Three, Add(8));
        AssertRefused(ChangeRefusal.IdWasRemoved, Three, new(MembershipChangeKind.Add, 8, Configurations.AddressOf(1)));
    }

    [Fact]
    public void Last_voter_stays()
    {
        AssertRefused(ChangeRefusal.LastVoter, Configurations.Cluster([1]), Remove(1));
        AssertRefused(ChangeRefusal.LastVoter, Configurations.Cluster([1], learners: [2]), Remove(1));
    }

    [Fact]
    public void Members_and_removed_ones_have_their_bounds()
    {
        ulong[] all = [.. Enumerable.Range(1, ClusterConfiguration.MembersMax).Select(id => (ulong)id)];
        AssertRefused(ChangeRefusal.TooManyMembers, Configurations.Cluster(all), Add(99));
        Assert.Equal(all.Length, Planned(Configurations.Cluster(all.AsSpan(1)), Add(99)).Members.Count);

        ulong[] removed = [.. Enumerable.Range(100, ClusterConfiguration.RemovedMax).Select(id => (ulong)id)];
        ClusterConfiguration full = Configurations.Cluster([1, 2], default, default, removed);
        AssertRefused(ChangeRefusal.TooManyMembers, full, Remove(2));
        Assert.Same(full, Planned(full, Remove(100)));
    }

    [Fact]
    public void Nothing_is_changed_in_a_joint_configuration()
    {
        ClusterConfiguration joint = Configurations.Cluster([1, 2], outgoingVoters: [1, 2, 3]);
        AssertRefused(ChangeRefusal.ChangeUnderWay, joint, Add(4));
        AssertRefused(ChangeRefusal.ChangeUnderWay, joint, Remove(1));
        AssertRefused(ChangeRefusal.ChangeUnderWay, joint, Add(2));
    }

    internal static ClusterConfiguration Planned(ClusterConfiguration current, MembershipChange change)
    {
        Assert.Equal(ChangeRefusal.None, MembershipPolicy.Plan(current, change, out ClusterConfiguration next));
        return next;
    }

    private static void AssertRefused(ChangeRefusal refusal, ClusterConfiguration current, MembershipChange change)
    {
        Assert.Equal(refusal, MembershipPolicy.Plan(current, change, out ClusterConfiguration next));
        Assert.Same(current, next);
    }

    private static MembershipChange Add(ulong id) => new(MembershipChangeKind.Add, id, Configurations.AddressOf(id));

    private static MembershipChange Remove(ulong id) => new(MembershipChangeKind.Remove, id);
}
