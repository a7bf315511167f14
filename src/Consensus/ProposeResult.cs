namespace RaftFast.Consensus;

public enum ProposeResult
{
    Accepted,

    /// <summary>This server doesn't lead; nothing was appended.</summary>
    NotLeader,

    /// <summary>Over RaftOptions.UncommittedBytesMax; nothing was appended.</summary>
    Busy,
}
