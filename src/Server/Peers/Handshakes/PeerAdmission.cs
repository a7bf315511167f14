using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>
/// Decides which connections this node accepts. A node of the same cluster is accepted if it was never removed and
/// comes with the same data directory as at the first meeting. The log may not name that node yet: it may be a new
/// leader, and to a node that joins every member is a stranger. Safe on any thread.
/// </summary>
internal sealed class PeerAdmission(NodeIdentity identity, MetDirectories met, ILogger logger)
{
    private readonly Lock gate = new();
    private volatile ClusterConfiguration committed = identity.Configuration;

    /// <summary>
    /// From now on refuses the members that are removed in <paramref name="committed"/>. Never waits.
    /// </summary>
    public void Update(ClusterConfiguration committed) => this.committed = committed;

    public bool WasRemoved(ulong id) => committed.WasRemoved(id);

    /// <summary>Judges a handshake. Records a first meeting on stable storage before it returns.</summary>
    /// <param name="version">
    /// The peer's version. A version other than <see cref="Handshake.Version"/> is refused at once.
    /// </param>
    public HandshakeStatus Judge(in Handshake handshake, uint version)
    {
        if (version != Handshake.Version)
            return HandshakeStatus.UnsupportedVersion;
        if (handshake.ClusterId != identity.Configuration.ClusterId)
            return HandshakeStatus.WrongCluster;
        if (handshake.To != (handshake.Kind == ConnectionKind.Hint ? 0 : identity.MemberId))
            return HandshakeStatus.WrongMember;
        if (handshake.From == 0 || handshake.From == identity.MemberId)
            return HandshakeStatus.UnknownMember;
        if (WasRemoved(handshake.From))
            return HandshakeStatus.Removed;
        return JudgeDirectory(handshake.From, handshake.Directory);
    }

    private HandshakeStatus JudgeDirectory(ulong id, ulong directory)
    {
        lock (gate)
        {
            if (!HasRoomFor(id))
                return HandshakeStatus.UnknownMember;
            try
            {
                return met.IsAsMet(id, directory) ? HandshakeStatus.Accepted : HandshakeStatus.DirectoryReplaced;
            }
            catch (DiskFullException full)
            {
                PeerLogLines.CannotRemember(logger, id, full.Message);
                return HandshakeStatus.UnknownMember;
            }
        }
    }

    /// <summary>True if the node's directory may still be recorded. Strangers never take the room of members.</summary>
    private bool HasRoomFor(ulong id)
    {
        ulong[] known = met.Members;
        if (Array.BinarySearch(known, id) >= 0)
            return true;
        ClusterConfiguration configuration = committed;
        met.Forget(configuration.RemovedIds);
        known = met.Members;
        if (configuration.Find(id) is not null)
            return known.Length < PeerOptions.PeersMax;
        int strangers = 0;
        foreach (ulong other in known)
            strangers += configuration.Find(other) is null ? 1 : 0;
        return strangers < PeerOptions.PeersMax - ClusterConfiguration.MembersMax;
    }
}
