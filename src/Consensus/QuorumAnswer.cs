namespace RaftFast.Consensus;

/// <summary>One server's answer in an election.</summary>
public enum QuorumAnswer : byte
{
    Unknown,
    Granted,
    Rejected,
}
