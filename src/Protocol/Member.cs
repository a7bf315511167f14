namespace RaftFast.Protocol;

/// <summary>One server of a cluster.</summary>
/// <param name="Id">Never 0, never used again for another server.</param>
/// <param name="IsOutgoingVoter">A voter of the old set of a joint configuration (§6), whatever it will be.</param>
public sealed record Member(ulong Id, PeerAddress Address, MemberRole Role = MemberRole.Voter, bool IsOutgoingVoter = false)
{
    /// <summary>In either set.</summary>
    public bool IsVoter => Role == MemberRole.Voter || IsOutgoingVoter;
}
