using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>A limit on the size of files (ulimit -f) is met as a full disk: no signal ends the process.</summary>
public sealed class FileSizeLimitTests
{
    /// <summary>
    /// Command of bash that limits the size of files. Without ahead-of-time compilation, .NET keeps its code in a large
    /// file in memory, unless the variable says otherwise.
    /// </summary>
    internal static string LimitTo(int kibibytes) =>
        $"export DOTNET_EnableWriteXorExecute=0; ulimit -f {kibibytes}";

    [Fact]
    public void Writes_are_answered_507_while_no_segment_of_the_log_may_be_made()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        Stop(node);
        // A page less than a segment. The two segments that the first run has made stay usable.
        node.RestartFromShell(LimitTo(16380) + "; exec \"$0\" \"$@\"");
        node.WaitUntilReady();
        AssertSignalIsIgnored(node);
        byte[] value = new byte[512 << 10];
        int written = 0;
        HttpAnswer? answer = null;
        for (; written < 200; written++)
        {
            value.AsSpan().Fill((byte)('a' + written % 26));
            answer = node.TryExchange("PUT", "/key", value);
            if (answer?.Status != 204)
                break;
        }
        Assert.True(answer is { Status: 507 }, $"{answer?.Status} after {written} writes: {node}");
        Assert.Contains("ulimit -f", answer!.Text, StringComparison.Ordinal);
        Eventually.True(
            () => node.Process.Lines.Any(line => line.Contains("ulimit -f", StringComparison.Ordinal)),
            () => $"a line says so, {node}");
        AssertKept();

        Stop(node);
        node.Restart();
        node.WaitUntilReady();
        AssertKept();
        Assert.Equal(204, node.TryExchange("PUT", "/key", "more"u8)?.Status);

        void AssertKept() => Assert.Equal(
            new string((char)('a' + (written - 1) % 26), value.Length), node.TryExchange("GET", "/key")?.Text);
    }

    [Fact]
    public void A_first_start_without_room_for_a_segment_is_refused()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        node.StartFromShell(LimitTo(1024) + "; exec \"$0\" \"$@\"", cluster.Urls);
        Assert.True(node.Process.WaitForExit() == 1, node.ToString());
        Assert.Contains("ulimit -f", Complaint.Single(node.Process), StringComparison.Ordinal);
    }

    /// <summary>
    /// Asserts that the kernel lists SIGXFSZ (25) as ignored. A handler instead would pass most runs, and fail only if
    /// a write meets the limit while the process ends.
    /// </summary>
    private static void AssertSignalIsIgnored(ClusterNode node)
    {
        string ignored = File.ReadLines($"/proc/{node.Process.Id}/status")
            .First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..];
        ulong signals = ulong.Parse(ignored, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Assert.True((signals >> 24 & 1) == 1, ignored);
    }

    private static void Stop(ClusterNode node)
    {
        node.Process.Terminate();
        Assert.True(node.Process.WaitForExit() == 0, node.ToString());
    }
}
