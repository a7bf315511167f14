using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>Backups of running members, and what a restore makes of them.</summary>
public sealed class LiveBackupTests : IDisposable
{
    private const int Writers = 3;

    private readonly TemporaryDirectory directory = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_backup_under_load_is_a_prefix_of_the_log_with_every_write_acknowledged_before(bool fromFollower)
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode asked = fromFollower ? cluster.Others(leader).First() : leader;
        string backup = directory.PathOf("backup");
        int[] acknowledged = new int[Writers];
        int[] before;
        using CancellationTokenSource stop = new();
        Thread[] threads = [.. Enumerable.Range(0, Writers).Select(
            writer => new Thread(() => Write(leader, writer, acknowledged, stop.Token)))];
        try
        {
            foreach (Thread thread in threads)
                thread.Start();
            Eventually.True(() => acknowledged.All(count => count > 50), () => $"{cluster}");
            before = [.. acknowledged.Select((_, writer) => Volatile.Read(ref acknowledged[writer]))];
            CurlResult answer = Curl.Run("-o", backup, asked.ApiUrl("/v1/backup"));
            Assert.Equal(0, answer.ExitCode);
        }
        finally
        {
            stop.Cancel();
            foreach (Thread thread in threads)
                thread.Join();
        }
        StripHead(backup);

        using Cluster restored = Cluster.Prepare(1);
        ClusterNode node = restored.Nodes[0];
        Assert.Equal(0, Restore(restored, backup, fromPipe: fromFollower, out string complaint));
        Assert.Equal("", complaint);
        node.Start(restored.Urls);
        node.WaitUntilReady();
        for (int writer = 0; writer < Writers; writer++)
        {
            int present = 0;
            while (node.TryExchange("GET", $"/{writer}/{present}")!.Status == 200)
                present++;
            Assert.True(present >= before[writer], $"{present} of {before[writer]} writes of {writer}");
            // A writer sends one PUT at a time, so a prefix of the log has a prefix of its PUTs.
            for (int i = present; i <= acknowledged[writer]; i++)
                Assert.Equal(404, node.TryExchange("GET", $"/{writer}/{i}")!.Status);
        }
    }

    [Fact]
    public void A_backup_that_was_cut_off_is_refused()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, node.TryExchange("PUT", "/k", new byte[100_000])!.Status);
        string backup = directory.PathOf("backup");
        Assert.Equal(0, Curl.Run("-o", backup, node.ApiUrl("/v1/backup")).ExitCode);
        StripHead(backup);
        byte[] whole = File.ReadAllBytes(backup);
        using Cluster restored = Cluster.Prepare(1);
        foreach (int length in (int[])[0, 1, 4096, 50_000, whole.Length - 4096, whole.Length - 1])
        {
            File.WriteAllBytes(backup, whole[..length]);
            Assert.Equal(1, Restore(restored, backup, fromPipe: length % 2 == 0, out string complaint));
            Assert.Contains("damaged", complaint, StringComparison.Ordinal);
            Assert.False(Directory.Exists(restored.Nodes[0].DataDirectory));
        }
    }

    [Fact]
    public void Member_without_a_majority_gives_no_backup()
    {
        using Cluster cluster = Cluster.StartWithApi(3, "--request-timeout", "1000");
        cluster.Nodes[0].Kill();
        cluster.Nodes[1].Kill();

        Eventually.True(
            () => Curl.Get(cluster.Nodes[2].ApiUrl("/v1/backup")).Status == 503, () => $"{cluster}");
    }

    public void Dispose() => directory.Dispose();

    private static void Write(ClusterNode leader, int writer, int[] acknowledged, CancellationToken stop)
    {
        using HttpConnection connection = HttpConnection.Open(leader.HttpPort);
        while (!stop.IsCancellationRequested)
        {
            HttpAnswer? answer = connection.Exchange("PUT", $"/{writer}/{acknowledged[writer]}", new byte[1000]);
            if (answer?.Status != 204)
                return;
            Interlocked.Increment(ref acknowledged[writer]);
        }
    }

    /// <summary>The kit's curl writes the head too (-i).</summary>
    private static void StripHead(string file)
    {
        byte[] all = File.ReadAllBytes(file);
        int end = all.AsSpan().IndexOf("\r\n\r\n"u8);
        Assert.StartsWith("HTTP/1.1 200", System.Text.Encoding.ASCII.GetString(all, 0, 12), StringComparison.Ordinal);
        File.WriteAllBytes(file, all[(end + 4)..]);
    }

    private static int Restore(Cluster cluster, string backup, bool fromPipe, out string complaint)
    {
        ClusterNode node = cluster.Nodes[0];
        string[] flags =
        [
            "restore", "--input", fromPipe ? "-" : backup, "--id", $"{node.Id}", "--cluster", cluster.Urls,
            "--data-dir", node.DataDirectory,
        ];
        using ServerProcess restore = fromPipe
            ? ServerProcess.StartFromShell($"cat '{backup}' | \"$0\" \"$@\"", flags)
            : ServerProcess.Start(flags);
        int exitCode = restore.WaitForExit();
        complaint = string.Join('\n', restore.Lines);
        Assert.False(File.Exists(node.DataDirectory + ".input-tmp"));
        return exitCode;
    }
}
