using System.Net;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>Something that is done to a cluster while it is under load.</summary>
public abstract class Disturbance
{
    /// <summary>Additional flags for the cluster's members.</summary>
    public virtual IReadOnlyList<string> MemberFlags => [];

    /// <summary>HTTP addresses of the members that get the load. Called once, when every member answers.</summary>
    public virtual IReadOnlyList<IPEndPoint> Aim(LocalCluster cluster) => cluster.HttpPorts;

    /// <summary>Runs at the same time as the load.</summary>
    /// <param name="during">Duration of the load.</param>
    /// <param name="say">Reports one line for each action, immediately after it.</param>
    public abstract Task RunAsync(
        LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation);
}
