using RaftFast.Protocol;

namespace RaftFast.Storage.Directories;

/// <summary>Whose directory this is: what <c>--id</c> and <c>--cluster</c> said when it was empty.</summary>
/// <param name="Address">Where this member's peer protocol listens, unless the log says otherwise.</param>
/// <param name="Directory">Drawn when the directory was made: tells it from another of the same member.</param>
/// <param name="Configuration">Before the log's first entry. Of a node that joined: no members.</param>
public sealed record NodeIdentity(ulong MemberId, PeerAddress Address, ulong Directory, ClusterConfiguration Configuration);
