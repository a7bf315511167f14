namespace RaftFast.Protocol;

/// <summary>One server of a cluster.</summary>
/// <param name="Id">Never 0, never used again for another server.</param>
public sealed record Member(ulong Id, PeerAddress Address);
