using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// Versions of commands that the members apply, as their handshakes say. A command of kind 2 is proposed only if every
/// member knows it: a member of an older version would end when it applies the entry. Once one has been applied, every
/// member knew it, and the state itself tells so.
/// </summary>
internal sealed class CommandVersions(RaftCore core, StateMachine state)
{
    private readonly Dictionary<ulong, int> versions = [];

    public void Announced(ulong member, int version) => versions[member] = version;

    /// <returns>A member that is not known to apply commands of kind 2; 0 if there is none.</returns>
    public ulong FindOlder()
    {
        if (state.Store.Version >= KeyCommand.Version)
            return 0;
        foreach (ulong member in core.Configuration.Servers)
        {
            if (member != core.Id && versions.GetValueOrDefault(member) < KeyCommand.Version)
                return member;
        }
        return 0;
    }
}
