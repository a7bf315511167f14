namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>The servers that a scenario needs can't be had; the message is one line for whoever started it.</summary>
public sealed class ClusterException : Exception
{
    public ClusterException()
    {
    }

    public ClusterException(string message)
        : base(message)
    {
    }

    public ClusterException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>The binary refused a flag: it is another version, or another program.</summary>
    public bool IsUsage { get; init; }
}
