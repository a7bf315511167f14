using System.Globalization;
using System.Text.RegularExpressions;
using RaftFast.EndToEnd.Tests.Faults;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Protocol;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>
/// A start that takes seconds: strace delays each read of the snapshot and of the log. The API is open meanwhile.
/// </summary>
public sealed class SlowStartTests : IDisposable
{
    private const int Values = 30;
    private const int SnapshotEvery = 20;

    /// <summary>Microseconds that each read takes longer. A chunk of the snapshot has one value.</summary>
    private const int ReadDelay = 200_000;

    private readonly Cluster cluster = Cluster.StartWithApi(1, "--snapshot-every", $"{SnapshotEvery}");
    private readonly ClusterNode node;

    public SlowStartTests()
    {
        node = cluster.Nodes[0];
        byte[] value = new byte[1 << 20];
        for (int i = 0; i < Values; i++)
            Assert.Equal(204, node.TryExchange("PUT", $"/{i}", value)?.Status);
        Eventually.True(() => node.HasTakenSnapshot, () => $"a snapshot is taken, {node}");
        node.Kill();
    }

    [Fact]
    public void Operators_see_how_far_a_start_is()
    {
        BeginSlowStart();
        Assert.Equal(200, Curl.Get(node.ApiUrl("/livez")).Status);
        CurlResult status = Curl.Get(node.ApiUrl("/v1/status"));
        Assert.Equal(503, status.Status);
        Assert.Contains("The node starts: ", status.Text, StringComparison.Ordinal);

        List<string> reasons = [];
        List<double> loaded = [];
        List<double> read = [];
        Eventually.True(
            () =>
            {
                CurlResult ready = Curl.Get(node.ApiUrl("/readyz"));
                reasons.Add(ready.Text);
                string metrics = Curl.Get(node.ApiUrl("/metrics")).Text;
                Note(metrics, "snapshot", loaded);
                Note(metrics, "log", read);
                return ready.Status == 200;
            },
            () => $"{string.Join('\n', reasons)}{node}");

        AssertRises(loaded, 5);
        // The log has two segments, each read at once.
        AssertRises(read, 1);
        Assert.Contains(reasons, IsLine(
            @"^failed  start: loading snapshot-\d+\.snap: \d+ % done, about .+ left \(\d+ MiB of \d+ MiB\)\n$"));
        Assert.Contains(reasons, IsLine("^failed  start: reading the log"));
        // A node that runs reports all its other metrics.
        string running = Curl.Get(node.ApiUrl("/metrics")).Text;
        Assert.DoesNotContain("raftfast_recovery", running, StringComparison.Ordinal);
        Assert.Contains("\nraftfast_keys 30\n", running, StringComparison.Ordinal);
    }

    [Fact]
    public void Connection_of_an_operator_does_not_delay_the_refusal_of_a_damaged_log()
    {
        DirectoryImage image = DirectoryImage.Of(node.DataDirectory);
        WalRecordPlace uncovered = WalRecordPlace.FindAll(image)
            .Where(place => place.Header.Type == RecordType.Command).ElementAt(SnapshotEvery + 5);
        image.WithFlippedBit(uncovered.File, uncovered.PayloadEnd - 1).Restore(node.DataDirectory);
        BeginSlowStart();
        using HttpConnection connection = HttpConnection.Open(node.ApiPort);
        Assert.Equal(200, connection.Exchange("GET", "/livez").Status);

        Assert.Equal(1, node.Process.WaitForExit());
        Assert.Contains(uncovered.File, Complaint.Single(node.Process), StringComparison.Ordinal);
    }

    [Fact]
    public void Request_to_stop_during_the_recovery_ends_the_process()
    {
        BeginSlowStart();
        using HttpConnection connection = HttpConnection.Open(node.ApiPort);
        Assert.Equal(503, connection.Exchange("GET", "/readyz").Status);
        node.Process.Terminate();
        Assert.Equal(0, node.Process.WaitForExit());
    }

    public void Dispose() => cluster.Dispose();

    /// <summary>Starts the node, and returns while the snapshot is loaded.</summary>
    private void BeginSlowStart()
    {
        string files = string.Concat(
            Directory.GetFiles(node.DataDirectory, "*-0*").Select(file => $"-P '{file}' "));
        string strace = $"exec strace -D -f -qq -o /dev/null {files}"
            + $"-e trace=pread64 -e inject=pread64:delay_enter={ReadDelay} ";
        using ServerProcess probe = ServerProcess.StartFromShell(strace + "true");
        Assert.SkipUnless(probe.WaitForExit() == 0, "needs strace(1), and a machine that lets it trace");
        node.RestartFromShell(strace + "\"$0\" \"$@\"");
        Eventually.True(
            () => Curl.Get(node.ApiUrl("/readyz")).Text.Contains("loading", StringComparison.Ordinal),
            () => $"it loads the snapshot, {node}");
    }

    /// <summary>Adds the share of a phase that is done, if the node reports it and its amount is known.</summary>
    private static void Note(string metrics, string phase, List<double> shares)
    {
        double all = Value(metrics, $"raftfast_recovery_bytes{{phase=\"{phase}\"}} ");
        if (all > 0)
            shares.Add(Value(metrics, $"raftfast_recovery_done_bytes{{phase=\"{phase}\"}} ") / all);
    }

    private static double Value(string metrics, string sample)
    {
        string? line = metrics.Split('\n').SingleOrDefault(line => line.StartsWith(sample, StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[sample.Length..], CultureInfo.InvariantCulture);
    }

    private static void AssertRises(List<double> shares, int steps)
    {
        Assert.Equal(shares.Order(), shares);
        Assert.InRange(shares.Distinct().Count(), steps, int.MaxValue);
        Assert.All(shares, share => Assert.InRange(share, 0, 1));
    }

    private static Predicate<string> IsLine(string pattern) =>
        text => Regex.IsMatch(text, pattern);
}
