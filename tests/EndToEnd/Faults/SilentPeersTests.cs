using System.Net;
using System.Net.Sockets;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

public sealed class SilentPeersTests
{
    /// <summary>More connections than the peer port accepts.</summary>
    private const int Silent = 300;

    /// <summary>Less than the five seconds that a handshake may take.</summary>
    private static readonly TimeSpan BeforeTheDeadline = TimeSpan.FromSeconds(4);

    [Fact]
    public void Connections_without_a_handshake_give_way_to_peers()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode follower = cluster.Others(leader).First();
        follower.Kill();
        List<Socket> silent = [];
        for (int i = 0; i < Silent; i++)
        {
            Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            silent.Add(socket);
            socket.Connect(IPAddress.Loopback, leader.PeerPort);
        }
        // All but the last 64 are closed at once, and not by the deadline of their handshakes.
        Eventually.True(
            () => silent.Count(IsClosed) >= Silent - 64, BeforeTheDeadline,
            () => $"{silent.Count(IsClosed)} of {Silent} silent connections are closed, {leader}");
        follower.Restart();
        follower.WaitUntilReady();
        Assert.Equal(204, follower.TryExchange("PUT", "/key", "value"u8)!.Status);
        silent.ForEach(socket => socket.Dispose());
    }

    private static bool IsClosed(Socket socket) => socket.Poll(0, SelectMode.SelectRead);
}
