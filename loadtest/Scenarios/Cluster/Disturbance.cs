using System.Net;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>What happens to a cluster while it is under load.</summary>
public abstract class Disturbance
{
    /// <summary>What its servers are started with, besides what makes them a cluster.</summary>
    public virtual IReadOnlyList<string> ServerFlags => [];

    /// <summary>Called once, when every member answers. The members that the load goes to: the HTTP ports that clients know.</summary>
    public virtual IReadOnlyList<IPEndPoint> Aim(LocalCluster cluster) => cluster.HttpPorts;

    /// <summary>Runs beside the load.</summary>
    /// <param name="during">How long the load lasts.</param>
    /// <param name="say">Takes one line for each thing that was done, at the moment when it was.</param>
    public abstract Task RunAsync(LocalCluster cluster, TimeSpan during, Action<string> say, CancellationToken cancellation);
}
