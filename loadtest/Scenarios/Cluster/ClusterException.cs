namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>The cluster that a scenario needs can't run. The message is one line for the user.</summary>
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

    /// <summary>True if the binary refused a flag: it is another version, or another program.</summary>
    public bool IsUsage { get; init; }
}
