namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>Members on free ports of this machine, with data directories of their own; more may be added. Nothing outlives it.</summary>
internal sealed class Cluster : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private ClusterNode[] nodes = [];

    private Cluster(int count)
    {
        for (int i = 0; i < count; i++)
            PrepareMember();
        Urls = string.Join(',', nodes.Select(node => node.PeerUrl));
    }

    /// <summary>By id, from 1; those that were removed, too. What is returned stays as it is when more are added.</summary>
    public IReadOnlyList<ClusterNode> Nodes => nodes;

    public IEnumerable<ClusterNode> Running => nodes.Where(node => node.Runs);

    /// <summary>The value of --cluster on the first members.</summary>
    public string Urls { get; }

    /// <summary>A running node that was the last to become leader, if the logs say so by now.</summary>
    public ClusterNode? Leader
    {
        get
        {
            ClusterNode? last = nodes.MaxBy(node => node.TermLed);
            return last is { Runs: true } && last.Process.TermLed == last.TermLed && last.TermLed > 0 ? last : null;
        }
    }

    /// <summary>Ports and directories, and no process yet.</summary>
    public static Cluster Prepare(int count) => new(count);

    /// <summary>The next id with ports and a directory of its own, and no process yet.</summary>
    public ClusterNode PrepareMember()
    {
        int id = nodes.Length + 1;
        ClusterNode node = new(id, FreePorts.Take(), FreePorts.Take(), directory.PathOf($"{id}"));
        nodes = [.. nodes, node];
        return node;
    }

    /// <summary>A cluster whose every member answers reads.</summary>
    public static Cluster Start(int count, params string[] extraFlags)
    {
        Cluster cluster = new(count);
        try
        {
            foreach (ClusterNode node in cluster.nodes)
                node.Start(cluster.Urls, extraFlags);
            cluster.WaitUntilReady();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    public void WaitUntilReady()
    {
        foreach (ClusterNode node in Running)
            node.WaitUntilReady();
    }

    public ClusterNode WaitForLeader()
    {
        Eventually.True(() => Leader is not null, () => $"there is a leader, {this}");
        return Leader!;
    }

    public IEnumerable<ClusterNode> Others(ClusterNode node) => nodes.Where(other => other != node);

    public void KillAll()
    {
        foreach (ClusterNode node in nodes)
            node.Process.BeginKill();
        foreach (ClusterNode node in nodes)
            node.Process.WaitForExit();
    }

    /// <summary>The runner shows a test's output when it fails, so the logs go there.</summary>
    public void Dispose()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(ToString());
        foreach (ClusterNode node in nodes)
            node.Dispose();
        directory.Dispose();
    }

    public override string ToString() => string.Join('\n', nodes.Select(node => node.ToString()));
}
