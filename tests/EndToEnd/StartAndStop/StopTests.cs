using System.Net;
using System.Net.Sockets;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

public sealed class StopTests
{
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Interrupt)]
    public void A_signal_stops_a_node_with_idle_and_busy_connections_and_loses_nothing(int signal)
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection idle = HttpConnection.Open(node.HttpPort);
        Assert.Equal(404, idle.Exchange("GET", "/absent").Status);
        using Writer writer = new(0, cluster.Nodes);
        Eventually.True(() => writer.Acknowledged > 10, () => $"writes are acknowledged, {node}");

        if (signal == Signal.Terminate)
            node.Process.Terminate();
        else
            node.Process.Interrupt();
        int exitCode = node.Process.WaitForExit(StopsWithin);
        Assert.True(exitCode == 0, node.ToString());
        Assert.Empty(node.Process.Output);
        writer.Stop();

        node.Restart();
        node.WaitUntilReady();
        Verification.EveryMemberKeeps(writer.WritesFrom(0), cluster.Nodes);
        Assert.Empty(writer.Violations);
    }

    [Fact]
    public void A_member_without_a_quorum_stops_too()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode last = cluster.WaitForLeader();
        foreach (ClusterNode node in cluster.Others(last))
        {
            node.Process.Terminate();
            Assert.True(node.Process.WaitForExit(StopsWithin) == 0, node.ToString());
        }
        using HttpConnection waiting = HttpConnection.Open(last.HttpPort);
        waiting.Send("PUT", "/key", "never agreed"u8);
        last.Process.Terminate();
        Assert.True(last.Process.WaitForExit(StopsWithin) == 0, last.ToString());
    }

    /// <summary>A connection that is aborted before its handler begins is no bug (exit code 70).</summary>
    [Fact]
    public void Connections_that_arrive_meanwhile_do_not_disturb_a_stop()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        for (int round = 0; round < 20; round++)
        {
            using (Callers callers = new(node.HttpPort, node.PeerPort))
            {
                Eventually.True(() => callers.Connections > 100, () => $"clients connect, {node}");
                node.Process.Terminate();
                Assert.True(node.Process.WaitForExit(StopsWithin) == 0, node.ToString());
            }
            node.Restart();
            node.WaitUntilReady();
        }
    }

    /// <summary>Clients that connect to each port in a loop, send part of a request, and stay for a while.</summary>
    private sealed class Callers : IDisposable
    {
        private const int OpenMax = 50;

        private readonly List<Thread> threads = [];
        private volatile bool isStopping;
        private int connections;

        public Callers(params int[] ports)
        {
            foreach (int port in ports)
            {
                Start(port, ""u8.ToArray(), openMax: 1);
                Start(port, "RaftFast"u8.ToArray(), OpenMax);
                Start(port, "PUT /key HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nv"u8.ToArray(), OpenMax);
            }
        }

        public int Connections => Volatile.Read(ref connections);

        public void Dispose()
        {
            isStopping = true;
            threads.ForEach(thread => thread.Join());
        }

        private void Start(int port, byte[] bytes, int openMax)
        {
            Thread thread = new(() => Call(port, bytes, openMax));
            threads.Add(thread);
            thread.Start();
        }

        private void Call(int port, byte[] bytes, int openMax)
        {
            Queue<Socket> open = [];
            while (!isStopping)
            {
                // A reset leaves no socket in TIME_WAIT.
                Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
                open.Enqueue(socket);
                try
                {
                    socket.Connect(IPAddress.Loopback, port);
                    Interlocked.Increment(ref connections);
                    socket.Send(bytes);
                }
                catch (SocketException)
                {
                    Thread.Yield(); // The server has stopped listening, or has closed the connection.
                }
                if (open.Count == openMax)
                    open.Dequeue().Dispose();
            }
            foreach (Socket socket in open)
                socket.Dispose();
        }
    }
}
