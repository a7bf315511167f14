using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>Three members are killed while they take snapshots.</summary>
public sealed class KillTests
{
    [Fact]
    public void Every_204_survives_kills_of_any_node_of_the_leader_and_of_all_at_once()
    {
        using Cluster cluster = Cluster.Start(3, "--snapshot-every", "100");
        Kills.OfThree(cluster, rounds: 50);
        Eventually.True(() => cluster.Nodes.All(node => node.HasTakenSnapshot), () => $"lines say so, {cluster}");
    }
}
