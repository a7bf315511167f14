using RaftFast.Protocol;

namespace RaftFast.Storage;

/// <summary>Whose directory this is: what <c>--id</c> and <c>--cluster</c> said when it was empty.</summary>
public sealed record NodeIdentity(ulong MemberId, ClusterConfiguration Configuration);
