using System.Net;
using RaftFast.Server.Lifetime;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Joining;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Tests.Peers.Joining;

/// <summary>Node 2 joins a cluster that it doesn't know yet.</summary>
public sealed class FirstHandshakeTests : IDisposable
{
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken);
    private readonly RecordedLog log = new();
    private readonly int port = FreePorts.Take();

    [Fact]
    public async Task First_handshake_meant_for_it_tells_its_cluster_and_is_asked_to_come_again()
    {
        Task<ulong> joining = Wait();
        using RawDialer member = new(port);
        Assert.Equal(HandshakeStatus.Joining, member.ShakeHands(TestHandshakes.From(1, to: 2)));
        member.AssertClosed();
        Assert.Equal(Node.ClusterId, await joining);
        Assert.Empty(log.Lines);
        await using Node second = new(id: 2, port: port);
    }

    [Theory]
    [InlineData(HandshakeStatus.WrongMember, 1u, 3u)]
    [InlineData(HandshakeStatus.UnknownMember, 2u, 2u)]
    [InlineData(HandshakeStatus.UnknownMember, 0u, 2u)]
    public async Task Handshake_not_meant_for_it_is_refused_with_one_line_and_tells_nothing(
        HandshakeStatus status, ulong from, ulong to)
    {
        Task<ulong> joining = Wait();
        using (RawDialer lost = new(port))
        {
            Assert.Equal(status, lost.ShakeHands(TestHandshakes.From(from, to, clusterId: 0xBAD)));
            lost.AssertClosed();
        }
        Assert.Contains(status.ToString(), Assert.Single(log.Lines), StringComparison.Ordinal);
        await IntroduceAsync(joining);
    }

    [Fact]
    public async Task Garbage_is_dropped_with_one_line()
    {
        Task<ulong> joining = Wait();
        using (RawDialer garbage = new(port))
        {
            garbage.Send("GET / HTTP/1.1\r\n\r\n"u8);
            garbage.AssertClosed();
        }
        Assert.Contains("not a handshake", Assert.Single(log.Lines), StringComparison.Ordinal);
        await IntroduceAsync(joining);
    }

    [Fact]
    public async Task Silence_is_dropped_at_the_deadline_with_one_line()
    {
        Task<ulong> joining = Wait(new PeerOptions { HandshakeTimeout = TimeSpan.FromMilliseconds(50) });
        using (RawDialer silent = new(port))
        {
            silent.Send(RawDialer.Bytes(TestHandshakes.From(1, to: 2)).AsSpan(1..));
            silent.AssertClosed();
        }
        using (RawDialer half = new(port))
        {
            half.Send(RawDialer.Bytes(TestHandshakes.From(1, to: 2)).AsSpan(0, 20));
            half.AssertClosed();
        }
        Eventually.True(() => log.Lines.Length == 2);
        Assert.Contains("in time", log.Lines[1], StringComparison.Ordinal);
        await IntroduceAsync(joining);
    }

    [Fact]
    public async Task Silent_connection_holds_nobody_up()
    {
        Task<ulong> joining = Wait();
        using RawDialer silent = new(port);
        using RawDialer half = new(port);
        half.Send(RawDialer.Bytes(TestHandshakes.From(1, to: 2)).AsSpan(0, 20));
        await IntroduceAsync(joining);
        silent.AssertClosed();
        half.AssertClosed();
        Assert.Empty(log.Lines);
        await using Node second = new(id: 2, port: port);
    }

    [Fact]
    public async Task Waiting_ends_when_it_is_stopped_and_frees_the_port()
    {
        Task<ulong> joining = Wait();
        using RawDialer silent = new(port);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joining);
        silent.AssertClosed();
        await using Node second = new(id: 2, port: port);
    }

    [Fact]
    public async Task Port_in_use_is_told()
    {
        await using Node other = new(id: 3, port: port);
        Assert.Contains(
            "another process has that port", (await Assert.ThrowsAsync<ListenException>(() => Wait())).Message,
            StringComparison.Ordinal);
    }

    /// <summary>The whole course: member 1 dials before node 2 listens, until node 2 belongs to the cluster.</summary>
    [Fact]
    public async Task Member_that_keeps_dialling_reaches_it_once_it_knows_its_cluster()
    {
        await using Dialling first = new(port);
        Eventually.True(() => first.Log.Lines.Length > 0);
        ulong clusterId = await Wait();
        await using Node second = new(id: 2, clusterId: clusterId, port: port);
        first.Reader.Next<PeerConnected>();
        Assert.Equal(["unreachable:", "reachable"], first.Log.Lines.Select(line => line.Split(' ')[5]));
    }

    public void Dispose() => stop.Dispose();

    private async Task IntroduceAsync(Task<ulong> joining)
    {
        using RawDialer member = new(port);
        Assert.Equal(HandshakeStatus.Joining, member.ShakeHands(TestHandshakes.From(1, to: 2)));
        Assert.Equal(Node.ClusterId, await joining);
    }

    private Task<ulong> Wait(PeerOptions? options = null) =>
        FirstHandshake.WaitAsync(
            new IPEndPoint(IPAddress.Loopback, port), self: 2, log, options ?? new PeerOptions(), stop.Token);
}
