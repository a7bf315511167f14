namespace RaftFast.Consensus;

/// <summary>Raft paper, figure 4; PreCandidate is thesis §9.6.</summary>
public enum RoleName
{
    Follower,
    PreCandidate,
    Candidate,
    Leader,
}
