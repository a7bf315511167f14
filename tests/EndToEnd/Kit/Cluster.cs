namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// Members on free ports of this machine, each with a data directory of its own. More may be added. Processes and
/// directories end with this object.
/// </summary>
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

    /// <summary>
    /// Members by id, from 1, including removed members. A returned list doesn't change when a member is added.
    /// </summary>
    public IReadOnlyList<ClusterNode> Nodes => nodes;

    public IEnumerable<ClusterNode> Running => nodes.Where(node => node.Runs);

    /// <summary>Value of --cluster on the first members.</summary>
    public string Urls { get; }

    /// <summary>The running node that became leader last, according to the logs so far, or null.</summary>
    public ClusterNode? Leader
    {
        get
        {
            ClusterNode? last = nodes.MaxBy(node => node.TermLed);
            return last is { Runs: true } && last.Process.TermLed == last.TermLed && last.TermLed > 0 ? last : null;
        }
    }

    /// <summary>Returns members with ports and directories, but without processes.</summary>
    public static Cluster Prepare(int count) => new(count);

    /// <summary>
    /// Adds a node with the next id, and with ports and a directory of its own, but without a process.
    /// </summary>
    public ClusterNode PrepareMember()
    {
        int id = nodes.Length + 1;
        ClusterNode node = new(
            id, FreePorts.Take(), FreePorts.Take(), FreePorts.Take(), directory.PathOf($"{id}"));
        nodes = [.. nodes, node];
        return node;
    }

    /// <summary>Starts a cluster, and returns it when every member answers reads.</summary>
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

    /// <summary>Starts a cluster whose members also listen on their API ports.</summary>
    public static Cluster StartWithApi(int count, params string[] extraFlags)
    {
        Cluster cluster = new(count);
        try
        {
            foreach (ClusterNode node in cluster.nodes)
                node.Start(cluster.Urls, ["--api", $"127.0.0.1:{node.ApiPort}", .. extraFlags]);
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

    /// <summary>Writes the logs to the test's output, which the runner shows if the test fails.</summary>
    public void Dispose()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(ToString());
        foreach (ClusterNode node in nodes)
            node.Dispose();
        directory.Dispose();
    }

    public override string ToString() => string.Join('\n', nodes.Select(node => node.ToString()));
}
