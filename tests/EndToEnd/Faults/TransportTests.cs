using System.Runtime.InteropServices;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>Each transport with each way of the log to the disk, under load and kills.</summary>
public sealed class TransportTests
{
    private const int Pipelined = 50;

    public static TheoryData<string, string> Ways => new()
    {
        { "sockets", "thread" },
        { "epoll", "thread" },
        { "epoll", "auto" },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void Every_204_is_kept_when_members_are_killed(string transport, string log)
    {
        using Cluster cluster = Start(3, transport, log);
        Kills.OfThree(cluster, rounds: 6);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Large_and_pipelined_requests_are_answered_in_order_and_kept(string transport, string log)
    {
        using Cluster cluster = Start(1, transport, log);
        ClusterNode node = cluster.Nodes[0];
        byte[][] values = [.. Enumerable.Range(0, Pipelined).Select(i => new byte[i * 20_000])];
        using (HttpConnection client = HttpConnection.Open(node.HttpPort))
        {
            for (int i = 0; i < Pipelined; i++)
            {
                new Random(i).NextBytes(values[i]);
                Assert.Equal(204, client.Exchange("PUT", $"/{i}", values[i]).Status);
            }
            AssertHolds(client, values, node);
        }
        // 24 MB: the log has begun a second segment.
        node.Kill();
        node.Restart();
        node.WaitUntilReady();
        using (HttpConnection client = HttpConnection.Open(node.HttpPort))
            AssertHolds(client, values, node);
        node.Process.Terminate();
        Assert.Equal(0, node.Process.WaitForExit());
    }

    /// <summary>Asks for all values at once.</summary>
    private static void AssertHolds(HttpConnection client, byte[][] values, ClusterNode node)
    {
        for (int i = 0; i < values.Length; i++)
            client.Send("GET", $"/{i}");
        for (int i = 0; i < values.Length; i++)
            Assert.True(client.Receive().Body.AsSpan().SequenceEqual(values[i]), $"value {i}, {node}");
    }

    private static Cluster Start(int members, string transport, string log)
    {
        bool isSupported = OperatingSystem.IsLinux()
            && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;
        Assert.SkipUnless(isSupported || transport != "epoll", "epoll is Linux's");
        Cluster cluster = Cluster.Start(members, "--transport", transport, "--log-io", log);
        IReadOnlyList<string> lines = cluster.Nodes[0].Process.Lines;
        if (log == "auto" && !lines.Any(line => line.Contains("written through io_uring", StringComparison.Ordinal)))
        {
            cluster.Dispose();
            Assert.Skip("io_uring is refused here, and the other ways are tested besides");
        }
        return cluster;
    }
}
