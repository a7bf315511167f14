using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace RaftFast.LoadTest.Tests;

public sealed class RelayTests : IDisposable
{
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(40);

    private readonly TcpListener far = new(IPAddress.Loopback, 0);
    private readonly Relay relay;

    public RelayTests()
    {
        far.Start();
        relay = new Relay([(new IPEndPoint(IPAddress.Loopback, 0), (IPEndPoint)far.LocalEndpoint)], RoundTrip);
    }

    [Fact]
    public void Bytes_arrive_unchanged_and_no_answer_comes_before_a_round_trip()
    {
        using TcpClient near = Dial();
        using Socket accepted = far.AcceptSocket();
        Thread echo = new(() => Echo(accepted));
        echo.Start();
        byte[] sent = new byte[1 << 20];
        new Random(1).NextBytes(sent);
        byte[] answer = new byte[sent.Length];
        for (int i = 0; i < 3; i++)
        {
            long begin = Stopwatch.GetTimestamp();
            near.GetStream().Write(sent);
            near.GetStream().ReadExactly(answer.AsSpan(0, 1));
            Assert.True(Stopwatch.GetElapsedTime(begin) >= RoundTrip);
            near.GetStream().ReadExactly(answer.AsSpan(1));
            Assert.Equal(sent, answer);
        }
        near.Close();
        echo.Join();
    }

    [Fact]
    public void A_connection_that_ends_on_one_side_ends_on_the_other()
    {
        using TcpClient near = Dial();
        using Socket accepted = far.AcceptSocket();
        accepted.Close();
        Assert.Equal(0, near.GetStream().Read(new byte[1]));
    }

    [Fact]
    public void Nobody_at_the_far_end_closes_the_connection()
    {
        far.Stop();
        using TcpClient near = Dial();
        Assert.Equal(0, near.GetStream().Read(new byte[1]));
    }

    [Theory]
    [InlineData("127.0.0.1:1=127.0.0.1:2,[::1]:3=127.0.0.1:4", 2)]
    [InlineData("127.0.0.1:0=127.0.0.1:2", 1)]
    [InlineData("127.0.0.1:1", null)]
    [InlineData("127.0.0.1:1=localhost:2", null)]
    [InlineData("127.0.0.1:1=127.0.0.1", null)]
    [InlineData("", null)]
    public void Routes_are_pairs_of_addresses(string text, int? count) =>
        Assert.Equal(count, Relay.ParseRoutes(text)?.Count);

    public void Dispose()
    {
        relay.Dispose();
        far.Dispose();
    }

    private TcpClient Dial()
    {
        TcpClient near = new();
        near.Connect(relay.EndPoints[0]);
        return near;
    }

    private static void Echo(Socket socket)
    {
        byte[] buffer = new byte[64 << 10];
        try
        {
            for (int length = socket.Receive(buffer); length > 0; length = socket.Receive(buffer))
            {
                for (int sent = 0; sent < length;)
                    sent += socket.Send(buffer, sent, length - sent, SocketFlags.None);
            }
        }
        catch (SocketException)
        {
            // The test has failed, and says why.
        }
    }
}
