namespace RaftFast.Consensus;

/// <summary>One server's answer in an election.</summary>
public enum Ballot : byte
{
    Unknown,
    Granted,
    Rejected,
}
