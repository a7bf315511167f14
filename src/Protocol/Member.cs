namespace RaftFast.Protocol;

/// <summary>A node that the configuration names.</summary>
/// <param name="Id">Never 0. The id of a removed member is never given to another node.</param>
/// <param name="IsOutgoingVoter">
/// True if the member is in the old voter set of a joint configuration (§6). <see cref="Role"/> then gives the member's
/// role after that configuration.
/// </param>
public sealed record Member(
    ulong Id, PeerAddress Address, MemberRole Role = MemberRole.Voter, bool IsOutgoingVoter = false)
{
    /// <summary>True for a voter of either set of a joint configuration.</summary>
    public bool IsVoter => Role == MemberRole.Voter || IsOutgoingVoter;
}

/// <summary>
/// Role of a member; in a joint configuration, its role after that configuration. The values are on disk and on the
/// wire.
/// </summary>
public enum MemberRole : byte
{
    /// <summary>
    /// An outgoing voter that the end of the joint configuration removes. Only in joint configurations.
    /// </summary>
    Leaving = 0,

    Voter = 1,

    /// <summary>Receives the log, and counts in no majority (thesis §4.2.1).</summary>
    Learner = 2,
}
