namespace RaftFast.Server.Node;

/// <summary>
/// Members from which this node takes messages and snapshots. A node whose directory held promises at the start takes
/// messages from all members. An empty directory may be there only because the right directory is not mounted. With a
/// stored term, the empty directory would hold promises, and could replace the right directory (MetDirectories). So a
/// node with an empty directory takes nothing from a member that has not accepted this directory in a handshake.
/// </summary>
/// <param name="hasPromised">True if the data directory held promises at the start.</param>
internal sealed class Acceptance(bool hasPromised)
{
    /// <summary>Replaced as a whole, so that any thread may read.</summary>
    private volatile ulong[] accepted = [];

    /// <summary>True if the data directory held promises at the start.</summary>
    public bool HasPromised => hasPromised;

    /// <summary>A member has accepted this node's handshake. Only the loop calls.</summary>
    public void Add(ulong member)
    {
        if (!hasPromised && !IsBy(member))
            accepted = [.. accepted, member];
    }

    /// <summary>True if messages and snapshots of the member may be taken. Any thread may call.</summary>
    public bool IsBy(ulong member) => hasPromised || Array.IndexOf(accepted, member) >= 0;
}
