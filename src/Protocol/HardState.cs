namespace RaftFast.Protocol;

/// <summary>
/// What a server must remember across restarts besides its log (Raft paper, figure 2): the latest term it has seen,
/// and the candidate that it voted for in that term, or 0.
/// </summary>
public readonly record struct HardState(long Term, ulong Vote);
