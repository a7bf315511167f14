using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>Malformed bytes on the peer port cause one line of the log and nothing else.</summary>
public sealed class PeerPortTests(OneNode server) : IClassFixture<OneNode>
{
    [Theory]
    [InlineData("random bytes")]
    [InlineData("an HTTP request")]
    [InlineData("the magic number and then nonsense")]
    [InlineData("half a handshake, and then nothing")]
    public void Nonsense_is_dropped_with_one_log_line(string what)
    {
        byte[] random = new byte[1024];
        new Random(20).NextBytes(random);
        byte[] nonsense = what switch
        {
            "random bytes" => random,
            "an HTTP request" => Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            "the magic number and then nonsense" => [.. "RaftFast"u8, .. random],
            _ => [.. "RaftFast"u8, 1, 0, 0, 0],
        };
        ClusterNode node = server.Node;
        int before = PeerWarnings(node).Count;
        int sent = 0;
        // If another test's line is less than a second old, the first lines of this test are only counted.
        Eventually.True(
            () =>
            {
                using (Socket socket = Connect(node))
                {
                    socket.Send(nonsense);
                    AssertClosedByServer(socket, node);
                    sent++;
                }
                return PeerWarnings(node).Count > before;
            },
            () => $"a log line tells, {node}");
        Assert.Equal(204, Curl.Put(node.Url("/still"), what).Status);
        Assert.Equal(what, Curl.Get(node.Url("/still")).Text);
        string[] logged = [.. PeerWarnings(node).Skip(before)];
        Assert.True(logged.Length <= sent, $"one line for each of {sent}, not {logged.Length}: {node}");
        Assert.DoesNotContain("Exception", logged[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Many_strangers_cause_one_log_line_a_second_that_says_how_many_they_are()
    {
        ClusterNode node = server.Node;
        int before = PeerWarnings(node).Count;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 200; i++)
            SendNonsense();
        Eventually.True(
            () =>
            {
                SendNonsense();
                return PeerWarnings(node).Skip(before).Any(
                    line => line.Contains("more like this", StringComparison.Ordinal));
            },
            () => $"a line says how many it stands for, {node}");
        int lines = PeerWarnings(node).Count - before;
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Assert.True(lines <= seconds + 1, $"{lines} lines in {seconds:F1} s: {node}");

        void SendNonsense()
        {
            using Socket socket = Connect(node);
            socket.Send(new byte[64]);
            AssertClosedByServer(socket, node);
        }
    }

    [Fact]
    public void A_thousand_strangers_leave_the_server_as_it_was()
    {
        ClusterNode node = server.Node;
        for (int i = 0; i < 1000; i++)
        {
            using Socket socket = Connect(node);
            socket.Send("RaftFast"u8[..(i % 9)]);
        }
        Assert.Equal(204, Curl.Put(node.Url("/after-strangers"), "here").Status);
        Assert.Equal("here", Curl.Get(node.Url("/after-strangers")).Text);
        Assert.DoesNotContain(node.Process.Lines, line => line.StartsWith("   at ", StringComparison.Ordinal));
    }

    /// <summary>Warnings about peers so far. Lines about the node's start may still arrive.</summary>
    private static List<string> PeerWarnings(ClusterNode node) =>
        [.. node.Process.Lines.Where(line => line.Contains(" warning peer: ", StringComparison.Ordinal))];

    private static Socket Connect(ClusterNode node)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveTimeout = (int)Eventually.Deadline.TotalMilliseconds,
            LingerState = new LingerOption(true, 0), // a reset leaves no socket in TIME_WAIT
        };
        socket.Connect(IPAddress.Loopback, node.PeerPort);
        return socket;
    }

    private static void AssertClosedByServer(Socket socket, ClusterNode node)
    {
        byte[] buffer = new byte[256];
        try
        {
            while (socket.Receive(buffer) > 0)
            {
                // The server may send the reason of a refused handshake before it closes.
            }
        }
        catch (SocketException failure)
        {
            Assert.True(failure.SocketErrorCode == SocketError.ConnectionReset, $"{failure.SocketErrorCode}, {node}");
        }
    }
}
