using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// A configuration, in the form that counting votes and acknowledgements needs. Servers have ordinals 0, 1, … in
/// ascending order of id, so that arrays hold the values for each server. There is one voter set, or two in a joint
/// configuration (§6). Immutable.
/// </summary>
public sealed class ConfigurationState
{
    private readonly ulong[] servers;
    private readonly int[] voters;
    private readonly int[] outgoingVoters;

    public ConfigurationState(ClusterConfiguration cluster)
    {
        Cluster = cluster;
        servers = new ulong[cluster.Members.Count];
        List<int> incoming = [];
        List<int> outgoing = [];
        for (int i = 0; i < servers.Length; i++)
        {
            Member member = cluster.Members[i];
            servers[i] = member.Id;
            if (member.Role == MemberRole.Voter)
                incoming.Add(i);
            if (member.IsOutgoingVoter)
                outgoing.Add(i);
        }
        voters = [.. incoming];
        outgoingVoters = [.. outgoing];
    }

    public ClusterConfiguration Cluster { get; }

    /// <summary>Ids of all members, learners included, in ascending order.</summary>
    public ReadOnlySpan<ulong> Servers => servers;

    /// <summary>Ordinals of the voters; in a joint configuration, of the incoming voters.</summary>
    public ReadOnlySpan<int> Voters => voters;

    /// <summary>Ordinals of the outgoing voters of a joint configuration; otherwise empty.</summary>
    public ReadOnlySpan<int> OutgoingVoters => outgoingVoters;

    /// <returns>-1 if the server is no member.</returns>
    public int OrdinalOf(ulong id)
    {
        int ordinal = Array.BinarySearch(servers, id);
        return ordinal >= 0 ? ordinal : -1;
    }

    public bool IsVoter(ulong id)
    {
        int ordinal = OrdinalOf(id);
        return ordinal >= 0 && (Voters.Contains(ordinal) || OutgoingVoters.Contains(ordinal));
    }

    /// <summary>
    /// True for a voter that is still a voter after a joint configuration. A leader that does not stay a voter hands
    /// over first.
    /// </summary>
    public bool StaysVoter(ulong id)
    {
        int ordinal = OrdinalOf(id);
        return ordinal >= 0 && Voters.Contains(ordinal);
    }

    public bool IsSoleVoter(ulong id) => IsVoter(id) && voters.Length == 1 && outgoingVoters.Length == 0;
}
