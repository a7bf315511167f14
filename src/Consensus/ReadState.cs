namespace RaftFast.Consensus;

/// <summary>A confirmed read request (thesis §6.4): once Index is applied, everything that the request covers may be answered.</summary>
public readonly record struct ReadState(long Context, long Index);
