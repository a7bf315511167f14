using System.Diagnostics;
using System.Net.Sockets;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Limits;

/// <summary>More clients than the process has descriptors for.</summary>
public sealed class ConnectionLimitTests
{
    /// <summary>Soft and hard limit of open descriptors: room for 72 connections of clients.</summary>
    private const int Descriptors = 256;

    private const int IdleClients = 300;

    [Fact]
    public void Idle_clients_beyond_the_limit_of_descriptors_stop_neither_requests_nor_the_log()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        node.StartFromShell($"ulimit -n {Descriptors}; exec \"$0\" \"$@\"", cluster.Urls);
        node.WaitUntilReady();
        Eventually.True(() => node.Process.Warns("raise the limit"), () => $"a line says so, {node}");
        using HttpConnection old = HttpConnection.Open(node.HttpPort);
        Assert.Equal(204, old.Exchange("PUT", "/old", "before"u8).Status);

        List<TcpClient> idle = [];
        for (int i = 0; i < IdleClients; i++)
        {
            idle.Add(new TcpClient("127.0.0.1", node.HttpPort));
            if (i % 20 == 0)
                Assert.Equal(204, old.Exchange("PUT", "/old", "meanwhile"u8).Status);
        }

        // After a second the idle clients give way to new ones.
        Eventually.True(
            () =>
            {
                Assert.Equal(204, old.Exchange("PUT", "/old", "meanwhile"u8).Status);
                return node.TryExchange("PUT", "/new", "value"u8) is { Status: 204 };
            },
            () => $"a new client is served, {node}");
        // The log needs new segments, which need descriptors.
        byte[] large = new byte[1_000_000];
        TimeSpan before = node.Process.ProcessorTime;
        for (int i = 0; i < 30; i++)
            Assert.Equal(204, old.Exchange("PUT", $"/large{i}", large).Status);
        Assert.InRange(node.Process.ProcessorTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(5));

        idle.ForEach(client => client.Dispose());
        Assert.Equal(204, old.Exchange("PUT", "/old", "after"u8).Status);
        Eventually.True(
            () => node.TryExchange("GET", "/old") is { Status: 200 }, () => $"a new client is served, {node}");
        Assert.True(node.Runs, node.ToString());
    }

    [Fact]
    public void A_limit_of_descriptors_that_leaves_none_for_clients_is_refused_at_the_start()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        node.StartFromShell("ulimit -n 100; exec \"$0\" \"$@\"", cluster.Urls);
        Assert.Equal(1, node.Process.WaitForExit());
        Assert.Contains(node.Process.Lines, line => line.Contains("ulimit -n", StringComparison.Ordinal));
    }

    [Fact]
    public void A_soft_limit_of_descriptors_is_raised_to_the_hard_limit()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        node.StartFromShell("ulimit -S -n 256; exec \"$0\" \"$@\"", cluster.Urls);
        node.WaitUntilReady();
        List<HttpConnection> clients = [];
        for (int i = 0; i < 150; i++)
            clients.Add(HttpConnection.Open(node.HttpPort));
        foreach (HttpConnection client in clients)
            Assert.Equal(404, client.Exchange("GET", "/absent").Status);
        clients.ForEach(client => client.Dispose());
    }

    /// <summary>prlimit(1) takes the descriptors away while the node runs, as when the system has none left.</summary>
    [Fact]
    public void Accept_without_a_descriptor_tries_again_without_a_busy_loop()
    {
        Assert.SkipUnless(ServerBinary.IsNative, "the compiler of a server that isn't native needs descriptors");
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection old = HttpConnection.Open(node.HttpPort);
        Assert.Equal(404, old.Exchange("GET", "/absent").Status);
        int open = Directory.GetFiles($"/proc/{node.Process.Id}/fd").Length;
        LimitDescriptors(node, open + 2);
        List<TcpClient> clients = [];
        for (int i = 0; i < 20; i++)
            clients.Add(new TcpClient("127.0.0.1", node.HttpPort));
        Eventually.True(() => node.Process.Warns("can't accept connections"), () => $"a line says so, {node}");
        TimeSpan before = node.Process.ProcessorTime;
        for (int i = 0; i < 20; i++)
        {
            Thread.Sleep(100);
            Assert.Equal(404, old.Exchange("GET", "/absent").Status);
        }
        Assert.InRange(node.Process.ProcessorTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        clients.ForEach(client => client.Dispose());
        LimitDescriptors(node, 1024);
        Eventually.True(
            () => node.TryExchange("GET", "/absent") is { Status: 404 }, () => $"a new client is served, {node}");
    }

    private static void LimitDescriptors(ClusterNode node, int soft)
    {
        using Process prlimit = Process.Start("prlimit", ["--pid", $"{node.Process.Id}", $"--nofile={soft}:"]);
        prlimit.WaitForExit();
        Assert.Equal(0, prlimit.ExitCode);
    }

    [Fact]
    public void While_no_connection_is_idle_a_new_one_is_answered_503()
    {
        using Cluster cluster = Cluster.Start(1, "--connections-max", "4");
        ClusterNode node = cluster.Nodes[0];
        List<HttpConnection> busy = [];
        for (int i = 0; i < 4; i++)
        {
            HttpConnection client = HttpConnection.Open(node.HttpPort);
            busy.Add(client);
            client.SendRaw("PUT /key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nv"u8);
        }
        // The connection that found the member ready may still have counted: then one of these was refused.
        Eventually.True(
            () =>
            {
                int refused = busy.FindIndex(client => client.HasInput);
                if (refused >= 0)
                {
                    busy[refused].Dispose();
                    busy[refused] = HttpConnection.Open(node.HttpPort);
                    busy[refused].SendRaw("PUT /key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nv"u8);
                }
                return node.TryExchange("GET", "/absent") is { Status: 503 }
                    && !busy.Exists(client => client.HasInput);
            },
            () => $"a new client is refused, {node}");
        Eventually.True(
            () => node.Process.Warns("refused a client's connection: all 4 connections"),
            () => $"a line says so, {node}");
        foreach (HttpConnection client in busy)
        {
            client.SendRaw("alue"u8);
            Assert.Equal(204, client.Receive().Status);
            client.Dispose();
        }
        Eventually.True(
            () => node.TryExchange("GET", "/absent") is { Status: 404 }, () => $"a new client is served, {node}");
    }
}
