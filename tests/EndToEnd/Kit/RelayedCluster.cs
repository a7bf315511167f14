namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>A cluster whose members have relays before their peer ports.</summary>
internal sealed class RelayedCluster : IDisposable
{
    private readonly Dictionary<int, PeerRelay> relays = [];
    private readonly string[] flags;

    private RelayedCluster(int count, string[] extraFlags)
    {
        flags = ["--peer-listen", PeerRelay.MemberHost, .. extraFlags];
        Cluster = Cluster.Prepare(count);
        foreach (ClusterNode node in Cluster.Nodes)
        {
            relays.Add(node.Id, new PeerRelay(node.PeerPort));
            node.Start(Cluster.Urls, flags);
        }
    }

    public Cluster Cluster { get; }

    /// <summary>Starts a cluster, and returns it when every member answers reads.</summary>
    public static RelayedCluster Start(int count, params string[] extraFlags)
    {
        RelayedCluster relayed = new(count, extraFlags);
        try
        {
            relayed.Cluster.WaitUntilReady();
            return relayed;
        }
        catch
        {
            relayed.Dispose();
            throw;
        }
    }

    public PeerRelay Of(ClusterNode node) => relays[node.Id];

    /// <summary>Adds a node with the next id that waits to be added to the cluster.</summary>
    public ClusterNode StartJoining()
    {
        ClusterNode node = Cluster.PrepareMember();
        relays.Add(node.Id, new PeerRelay(node.PeerPort));
        node.StartJoining(Cluster.Urls, flags);
        return node;
    }

    /// <summary>Cuts or heals the way from each node to each other node.</summary>
    public void Cut(Func<ClusterNode, ClusterNode, bool> isCut)
    {
        foreach (ClusterNode to in Cluster.Nodes)
        {
            foreach (ClusterNode from in Cluster.Nodes)
            {
                if (from != to && isCut(from, to))
                    Of(to).Block(from.Id);
                else
                    Of(to).Unblock(from.Id);
            }
        }
    }

    public void Dispose()
    {
        Cluster.Dispose();
        foreach (PeerRelay relay in relays.Values)
            relay.Dispose();
    }
}
