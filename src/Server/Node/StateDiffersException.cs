namespace RaftFast.Server.Node;

/// <summary>A majority of the voters has one state at an index of the log, and this member another.</summary>
internal sealed class StateDiffersException(string message) : Exception(message);
