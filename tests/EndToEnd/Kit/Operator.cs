namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>Changes of the members as an operator makes them: with curl, and a look at the logs.</summary>
internal static class Operator
{
    /// <summary>Time in which a removed member stops, according to the README.</summary>
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(10);

    public static CurlResult Post(ClusterNode via, int id, string url) => Curl.Run(
        "-X", "POST", "-d", url, via.Url($"/{id}"));

    public static CurlResult Delete(ClusterNode via, int id) => Curl.Run("-X", "DELETE", via.Url($"/{id}"));

    /// <summary>Adds and starts a member, and returns it when it is a voter.</summary>
    public static ClusterNode Add(Cluster cluster, ClusterNode via)
    {
        ClusterNode node = cluster.PrepareMember();
        AssertDone(Post(via, node.Id, node.PeerUrl), cluster);
        node.StartJoining(cluster.Urls);
        WaitUntilVoter(cluster, node);
        return node;
    }

    /// <summary>Removes a running member, and waits until it has stopped.</summary>
    public static void Remove(Cluster cluster, ClusterNode via, ClusterNode node)
    {
        AssertDone(Delete(via, node.Id), cluster);
        AssertStopsByItself(node);
    }

    public static void AssertDone(CurlResult answer, Cluster cluster) =>
        Assert.True((answer.ExitCode, answer.Status) == (0, 204), $"{answer}\n{cluster}");

    /// <summary>Asserts the status, and one line of text that gives the reason.</summary>
    public static void AssertRefused(CurlResult answer, int status, string named)
    {
        Assert.True((answer.ExitCode, answer.Status) == (0, status), answer.ToString());
        Assert.Contains(named, answer.Text, StringComparison.Ordinal);
        Assert.Equal(answer.Text.Length - 1, answer.Text.IndexOf('\n', StringComparison.Ordinal));
    }

    public static void WaitUntilVoter(Cluster cluster, ClusterNode node) =>
        Eventually.True(
            () => cluster.Nodes.Any(
                other => other != node && Says(other, $"member {node.Id} at {node.PeerUrl} is a voter")),
            () => $"member {node.Id} becomes a voter, {cluster}");

    /// <summary>
    /// Asserts that the node stops in time with exit code 0, and logs one line that gives the reason.
    /// </summary>
    public static void AssertStopsByItself(ClusterNode node)
    {
        Assert.True(node.Process.WaitForExit(StopsWithin) == 0, node.ToString());
        Assert.Single(
            node.Process.Lines,
            line => line.Contains($"member {node.Id} has been removed from the cluster", StringComparison.Ordinal));
        Assert.Empty(node.Process.Output);
        Assert.DoesNotContain(node.Process.Lines, line => line.StartsWith("raftfast: ", StringComparison.Ordinal));
    }

    public static bool Says(ClusterNode node, string what) => node.Lines.Any(
        line => line.Contains(what, StringComparison.Ordinal));
}
