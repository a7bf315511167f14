using System.Runtime.InteropServices;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>The transport that is not the default, under load and kills.</summary>
public sealed class TransportTests
{
    private const int Pipelined = 50;

    [Fact]
    public void Epoll_keeps_every_204_when_members_are_killed()
    {
        SkipWithoutEpoll();
        using Cluster cluster = Cluster.Start(3, "--transport", "epoll");
        Kills.OfThree(cluster, rounds: 6);
    }

    [Fact]
    public void Epoll_answers_large_and_pipelined_requests_in_order()
    {
        SkipWithoutEpoll();
        using Cluster cluster = Cluster.Start(1, "--transport", "epoll");
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection client = HttpConnection.Open(node.HttpPort);
        byte[][] values = [.. Enumerable.Range(0, Pipelined).Select(i => new byte[i * 20_000])];
        for (int i = 0; i < Pipelined; i++)
        {
            new Random(i).NextBytes(values[i]);
            Assert.Equal(204, client.Exchange("PUT", $"/{i}", values[i]).Status);
        }
        for (int i = 0; i < Pipelined; i++)
            client.Send("GET", $"/{i}");
        for (int i = 0; i < Pipelined; i++)
            Assert.True(client.Receive().Body.AsSpan().SequenceEqual(values[i]), $"value {i}, {node}");
        node.Process.Terminate();
        Assert.Equal(0, node.Process.WaitForExit());
    }

    private static void SkipWithoutEpoll() => Assert.SkipUnless(
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64,
        "epoll is Linux's");
}
