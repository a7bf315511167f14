using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>Nodes that take no snapshot are killed.</summary>
public sealed class KillWithoutSnapshotTests
{
    [Fact]
    public void Every_204_of_three_members_survives_their_kills()
    {
        using Cluster cluster = Cluster.Start(3);
        Kills.OfThree(cluster, rounds: 12);
        Assert.All(cluster.Nodes, node => Assert.False(node.HasTakenSnapshot));
    }

    [Fact]
    public void Every_204_of_a_single_node_survives_its_kills()
    {
        using Cluster cluster = Cluster.Start(1);
        Kills.UnderLoad(cluster, rounds: 15, _ => cluster.Nodes);
    }
}
