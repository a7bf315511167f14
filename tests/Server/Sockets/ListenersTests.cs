using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Sockets;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Sockets;

public sealed class EpollListenersTests() : ListenersTests("Epoll");

public sealed class SocketListenersTests() : ListenersTests("Sockets");

/// <summary>Both ports, on each transport.</summary>
public abstract class ListenersTests(string transport)
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);

    private static CancellationToken Deadline => new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;

    [Fact]
    public async Task Each_port_has_its_own_handler()
    {
        await using Listeners listeners = await StartAsync(new Echo("http "), new Echo("peer "));

        Assert.NotEqual(0, listeners.Http.Port);
        Assert.NotEqual(0, listeners.Peer.Port);
        Assert.Equal("http hello", await AskAsync(listeners.Http, "hello"));
        Assert.Equal("peer hello", await AskAsync(listeners.Peer, "hello"));
        Assert.Equal("http again", await AskAsync(listeners.Http, "again"));
    }

    [Fact]
    public async Task Port_in_use_is_named_with_what_to_do()
    {
        await using Listeners first = await StartAsync(new Echo(""), new Echo(""));

        ListenException http = await Assert.ThrowsAsync<ListenException>(
            () => StartAsync(new Echo(""), new Echo(""), http: first.Http));
        ListenException peer = await Assert.ThrowsAsync<ListenException>(
            () => StartAsync(new Echo(""), new Echo(""), peer: first.Peer));

        Assert.Equal(
            $"can't listen for clients on {first.Http}: another process has that port; stop that process, "
            + "or give another port with --port",
            http.Message);
        Assert.Equal(
            $"can't listen for the other members on {first.Peer}: another process has that port; stop that process, "
            + "or give another port with --cluster, in every member's list",
            peer.Message);
    }

    [Fact]
    public async Task Address_of_another_machine_is_named_with_what_to_do()
    {
        IPEndPoint foreign = new(IPAddress.Parse("192.0.2.1"), 9121); // RFC 5737: the address of no machine.

        ListenException e = await Assert.ThrowsAsync<ListenException>(
            () => StartAsync(new Echo(""), new Echo(""), http: foreign));

        Assert.Equal(
            "can't listen for clients on 192.0.2.1:9121: this machine doesn't have that address; give one that it has, "
            + "or * for all, with --listen",
            e.Message);
        ListenException peer = await Assert.ThrowsAsync<ListenException>(
            () => StartAsync(new Echo(""), new Echo(""), peer: foreign));
        Assert.EndsWith("with --peer-listen", peer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_one_port_is_taken_the_other_is_free_again()
    {
        await using Listeners first = await StartAsync(new Echo(""), new Echo(""));
        IPEndPoint free = await FreeEndPointAsync();
        await Assert.ThrowsAsync<ListenException>(
            () => StartAsync(new Echo(""), new Echo(""), http: free, peer: first.Peer));

        await Assert.ThrowsAsync<ListenException>(
            () => StartAsync(new Echo(""), new Echo(""), http: first.Http, peer: free));
        await using Listeners second = await StartAsync(new Echo(""), new Echo(""), http: free);

        Assert.Equal(free, second.Http);
    }

    [Fact]
    public async Task Stop_accepts_no_more_and_waits_for_the_connections_it_has_asked_to_close()
    {
        Farewell handler = new();
        await using Listeners listeners = await StartAsync(handler, new Echo(""));
        using TcpClient client = new();
        await client.ConnectAsync(listeners.Http, Deadline);
        await handler.Connected.WaitAsync(Deadline);

        Task stopped = listeners.StopAsync(Deadline);

        Assert.Equal("bye", await ReadToEndAsync(client));
        await stopped;
        using TcpClient late = new();
        await Assert.ThrowsAsync<SocketException>(async () => await late.ConnectAsync(listeners.Http, Deadline));
    }

    [Fact]
    public async Task Stop_cuts_off_a_connection_that_does_not_close_in_time()
    {
        Stubborn handler = new();
        await using Listeners listeners = await StartAsync(handler, new Echo(""));
        using TcpClient client = new();
        await client.ConnectAsync(listeners.Http, Deadline);
        await handler.Connected.WaitAsync(Deadline);

        await listeners.StopAsync(new CancellationToken(canceled: true));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => handler.Finished);
    }

    [Fact]
    public async Task Listeners_stop_more_than_once()
    {
        Listeners listeners = await StartAsync(new Echo(""), new Echo(""));
        await listeners.StopAsync(Deadline);
        await listeners.StopAsync(Deadline);
        await listeners.DisposeAsync();
    }

    [Fact]
    public async Task Connection_beyond_the_bound_is_closed_and_one_that_ends_makes_room()
    {
        await using Listeners listeners = await StartAsync(new Echo(""), new Echo("peer "));
        List<TcpClient> clients = [];
        for (int i = 0; i < Listeners.PeerConnectionsMax; i++)
        {
            clients.Add(new TcpClient());
            Assert.Equal("peer hi", await AskAsync(clients[i], listeners.Peer, "hi"));
        }

        Assert.Null(await AskAsync(listeners.Peer, "hi"));
        clients[0].Dispose();
        CancellationToken deadline = Deadline;
        while (await AskAsync(listeners.Peer, "hi") is null)
            deadline.ThrowIfCancellationRequested();

        clients.ForEach(client => client.Dispose());
    }

    private Task<Listeners> StartAsync(
        ConnectionHandler httpHandler, ConnectionHandler peerHandler,
        IPEndPoint? http = null, IPEndPoint? peer = null) =>
        Listeners.StartAsync(
            http ?? AnyPort, httpHandler, 64, peer ?? AnyPort, peerHandler, Listeners.PeerConnectionsMax,
            Enum.Parse<TransportKind>(transport), new Inbox(1), NullLoggerFactory.Instance);

    private async Task<IPEndPoint> FreeEndPointAsync()
    {
        await using Listeners listeners = await StartAsync(new Echo(""), new Echo(""));
        return listeners.Http;
    }

    private static async Task<string?> AskAsync(IPEndPoint endPoint, string text)
    {
        using TcpClient client = new();
        return await AskAsync(client, endPoint, text);
    }

    /// <returns>Null if the connection was closed, which may fail the connect, the send or the receive.</returns>
    private static async Task<string?> AskAsync(TcpClient client, IPEndPoint endPoint, string text)
    {
        try
        {
            await client.ConnectAsync(endPoint, Deadline);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), Deadline);
            byte[] answer = new byte[100];
            int length = await client.GetStream().ReadAsync(answer, Deadline);
            return length == 0 ? null : Encoding.ASCII.GetString(answer, 0, length);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return null;
        }
    }

    private static async Task<string> ReadToEndAsync(TcpClient client)
    {
        using StreamReader reader = new(client.GetStream());
        return await reader.ReadToEndAsync(Deadline);
    }

    private sealed class Echo(string greeting) : ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            while (await connection.Transport.Input.ReadAsync() is { IsCompleted: false } read)
            {
                byte[] answer = [.. Encoding.ASCII.GetBytes(greeting), .. read.Buffer.ToArray()];
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
                await connection.Transport.Output.WriteAsync(answer);
            }
        }
    }

    private sealed class Farewell : ConnectionHandler
    {
        private readonly TaskCompletionSource connected = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Connected => connected.Task;

        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
            CancellationToken close =
                connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
            await using CancellationTokenRegistration registration = close.Register(asked.SetResult);
            connected.SetResult();
            await asked.Task;
            await connection.Transport.Output.WriteAsync("bye"u8.ToArray());
        }
    }

    private sealed class Stubborn : ConnectionHandler
    {
        private readonly TaskCompletionSource connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Connected => connected.Task;

        public Task Finished => finished.Task;

        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            connected.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, connection.ConnectionClosed);
            }
            catch (OperationCanceledException e)
            {
                finished.SetCanceled(e.CancellationToken);
                throw;
            }
        }
    }
}
