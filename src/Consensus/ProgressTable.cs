using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The leader's <see cref="Progress"/> of each server of the configuration in effect, by ordinal. The table has a place
/// for the leader itself too, but that place means nothing.
/// </summary>
internal sealed class ProgressTable(RaftCore core)
{
    private Progress[] byOrdinal = [];

    /// <summary>
    /// Ordinal of the leader; -1 if the configuration in effect leaves it out. A new leader may find such a
    /// configuration uncommitted in its log (thesis §4.2.2).
    /// </summary>
    public int Self { get; private set; }

    public int Count => byOrdinal.Length;

    public ReadOnlySpan<Progress> All => byOrdinal;

    public Progress this[int ordinal] => byOrdinal[ordinal];

    public Progress Of(ulong server) => byOrdinal[core.Configuration.OrdinalOf(server)];

    /// <summary>Begins anew with each server of the configuration in effect, after an election.</summary>
    public void Reset()
    {
        byOrdinal = [];
        Reconfigure(default);
    }

    /// <summary>Follows a change of the configuration in effect. Servers that stay keep their progress.</summary>
    /// <param name="before">Servers of the previous configuration; empty after an election.</param>
    public void Reconfigure(ReadOnlySpan<ulong> before)
    {
        Progress[] kept = byOrdinal;
        ReadOnlySpan<ulong> servers = core.Configuration.Servers;
        byOrdinal = new Progress[servers.Length];
        for (int i = 0; i < servers.Length; i++)
        {
            int earlier = before.BinarySearch(servers[i]);
            if (earlier >= 0)
            {
                byOrdinal[i] = kept[earlier];
                continue;
            }
            byOrdinal[i] = new Progress(core.Options);
            byOrdinal[i].Reset(core.Log.Last.Index);
            if (!before.IsEmpty)
                byOrdinal[i].PresumeActive();
        }
        Self = core.Configuration.OrdinalOf(core.Id);
    }
}
