namespace RaftFast.Consensus;

public enum QuorumResult
{
    Pending,
    Won,
    Lost,
}
