namespace RaftFast.Consensus;

public enum VoteResult
{
    Pending,
    Won,
    Lost,
}
