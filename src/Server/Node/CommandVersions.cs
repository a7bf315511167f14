using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// Versions of commands that the members apply, as their handshakes say. A command of kind 2 is proposed only if every
/// member knows it: a member of an older version would stop when it applies the entry. After a command of kind 2 has
/// been applied, the state itself shows that every member knows the kind.
/// </summary>
internal sealed class CommandVersions(RaftCore core, StateMachine state)
{
    /// <summary>Maximum nodes whose version is kept although they are no members yet.</summary>
    private const int StrangersMax = 256;

    private readonly Dictionary<ulong, int> versions = [];

    public void Announced(ulong node, int version)
    {
        if (versions.Count < StrangersMax || core.Configuration.OrdinalOf(node) >= 0)
            versions[node] = version;
    }

    /// <returns>A member that is not known to apply commands of kind 2; 0 if there is none.</returns>
    public ulong FindOlder()
    {
        if (state.Store.Version >= KeyCommand.ExtendedVersion)
            return 0;
        foreach (ulong member in core.Configuration.Servers)
        {
            if (member != core.Id && versions.GetValueOrDefault(member) < KeyCommand.ExtendedVersion)
                return member;
        }
        return 0;
    }
}
