namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>A cluster of one that the tests of a class share.</summary>
public sealed class OneNode : IDisposable
{
    private readonly Cluster cluster = Cluster.Start(1);

    internal ClusterNode Node => cluster.Nodes[0];

    public void Dispose() => cluster.Dispose();
}
