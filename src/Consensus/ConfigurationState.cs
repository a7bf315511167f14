using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The servers of a cluster, as ordinals 0, 1, … in ascending order of id, so that per-server values live in arrays; and
/// the voter sets over them: one, or two while a change is under way (joint consensus, §6).
/// </summary>
public sealed class ConfigurationState
{
    private readonly ulong[] servers;
    private readonly int[] voters;
    private readonly int[] outgoingVoters;

    public ConfigurationState(ReadOnlySpan<ulong> voterIds, ReadOnlySpan<ulong> outgoingVoterIds = default)
    {
        List<ulong> ids = [];
        foreach (ulong id in voterIds)
            ids.Add(id);
        foreach (ulong id in outgoingVoterIds)
        {
            if (!ids.Contains(id))
                ids.Add(id);
        }
        ids.Sort();
        Invariant.Hold(!ids.Contains(0));
        servers = [.. ids];
        voters = OrdinalsOf(voterIds);
        outgoingVoters = OrdinalsOf(outgoingVoterIds);
    }

    public ReadOnlySpan<ulong> Servers => servers;

    /// <summary>Ordinals of the voters; of the incoming ones in a joint configuration.</summary>
    public ReadOnlySpan<int> Voters => voters;

    /// <summary>Ordinals of the outgoing voters of a joint configuration; otherwise empty.</summary>
    public ReadOnlySpan<int> OutgoingVoters => outgoingVoters;

    /// <returns>-1 when the server is no member.</returns>
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

    public bool IsSoleVoter(ulong id) => IsVoter(id) && voters.Length == 1 && outgoingVoters.Length == 0;

    private int[] OrdinalsOf(ReadOnlySpan<ulong> ids)
    {
        int[] ordinals = new int[ids.Length];
        for (int i = 0; i < ids.Length; i++)
            ordinals[i] = OrdinalOf(ids[i]);
        Array.Sort(ordinals);
        for (int i = 1; i < ordinals.Length; i++)
            Invariant.Hold(ordinals[i] != ordinals[i - 1]);
        return ordinals;
    }
}
