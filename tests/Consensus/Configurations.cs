using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Configurations whose addresses mean nothing.</summary>
internal static class Configurations
{
    public static ConfigurationHistory History(params ulong[] voters) => new(Cluster(voters));

    public static ConfigurationState State(ReadOnlySpan<ulong> voters, ReadOnlySpan<ulong> outgoingVoters = default) =>
        new(Cluster(voters, outgoingVoters));

    public static ClusterConfiguration Cluster(
        ReadOnlySpan<ulong> voters, ReadOnlySpan<ulong> outgoingVoters = default,
        ReadOnlySpan<ulong> learners = default, params ulong[] removed)
    {
        SortedSet<ulong> ids = [.. voters, .. outgoingVoters, .. learners];
        List<Member> members = [];
        foreach (ulong id in ids)
        {
            MemberRole role = voters.Contains(id) ? MemberRole.Voter
                : learners.Contains(id) ? MemberRole.Learner : MemberRole.Leaving;
            members.Add(new Member(id, AddressOf(id), role, outgoingVoters.Contains(id)));
        }
        return new ClusterConfiguration(1, [.. members], removed, leavesJointItself: !outgoingVoters.IsEmpty);
    }

    public static PeerAddress AddressOf(ulong id) => new("127.0.0.1", 9020 + (int)id);
}
