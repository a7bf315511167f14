namespace RaftFast.Consensus;

public enum ProposeResult
{
    Accepted,

    /// <summary>This server doesn't lead; nothing was appended.</summary>
    NotLeader,

    /// <summary>Over RaftOptions.UncommittedBytesMax; nothing was appended.</summary>
    Busy,

    /// <summary>Leadership is being handed over; nothing was appended. In an election timeout it is known to whom, or tried no longer.</summary>
    HandingOver,
}
