using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The servers of a cluster, as ordinals 0, 1, … in ascending order of id, so that per-server values live in arrays; and
/// the voter sets over them: one, or two while a change is under way (joint consensus, §6).
/// </summary>
public sealed class ConfigurationState
{
    private readonly ulong[] _servers;
    private readonly int[] _voters;
    private readonly int[] _outgoingVoters;

    public ConfigurationState(ReadOnlySpan<ulong> voters, ReadOnlySpan<ulong> outgoingVoters = default)
    {
        List<ulong> servers = [];
        foreach (ulong id in voters)
            servers.Add(id);
        foreach (ulong id in outgoingVoters)
        {
            if (!servers.Contains(id))
                servers.Add(id);
        }
        servers.Sort();
        _servers = [.. servers];
        Invariant.Hold(!servers.Contains(0));
        _voters = OrdinalsOf(voters);
        _outgoingVoters = OrdinalsOf(outgoingVoters);
    }

    public ReadOnlySpan<ulong> Servers => _servers;

    /// <summary>Ordinals of the voters; of the incoming ones in a joint configuration.</summary>
    public ReadOnlySpan<int> Voters => _voters;

    /// <summary>Ordinals of the outgoing voters of a joint configuration; otherwise empty.</summary>
    public ReadOnlySpan<int> OutgoingVoters => _outgoingVoters;

    /// <returns>-1 when the server is no member.</returns>
    public int OrdinalOf(ulong id)
    {
        int ordinal = Array.BinarySearch(_servers, id);
        return ordinal >= 0 ? ordinal : -1;
    }

    public bool IsVoter(ulong id)
    {
        int ordinal = OrdinalOf(id);
        return ordinal >= 0 && (Voters.Contains(ordinal) || OutgoingVoters.Contains(ordinal));
    }

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
