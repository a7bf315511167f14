using System.Net.Sockets;
using System.Text;

namespace RaftFast.Http.Tests;

/// <summary>
/// Requests over real sockets, with the connection's code on the transport's or the thread pool's threads.
/// </summary>
public sealed class SocketTests : IDisposable
{
    private readonly Store store = new();

    public static TheoryData<bool> Scheduling { get; } = new(false, true);

    public void Dispose() => store.Dispose();

    [Theory]
    [MemberData(nameof(Scheduling))]
    public async Task Pipelined_requests_are_answered_in_order(bool isInline)
    {
        await using SocketServer server = await StartAsync(isInline);
        StringBuilder requests = new();
        StringBuilder answers = new();
        for (int i = 0; i < 2000; i++)
        {
            string value = new('v', i % 3000);
            requests.Append(ManualServer.Put("/a", value)).Append(ManualServer.Get("/a"));
            answers.Append(Answers.NoContent).Append(Answers.Ok(value));
        }
        Assert.Equal(answers.ToString(), await ExchangeAsync(server, requests.ToString()));
    }

    [Theory]
    [MemberData(nameof(Scheduling))]
    public async Task Many_connections_are_served_side_by_side(bool isInline)
    {
        await using SocketServer server = await StartAsync(isInline);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async connection =>
        {
            StringBuilder requests = new();
            StringBuilder answers = new();
            for (int i = 0; i < 200; i++)
            {
                requests.Append(ManualServer.Put($"/{connection}", $"{connection}-{i}"));
                requests.Append(ManualServer.Get($"/{connection}"));
                answers.Append(Answers.NoContent).Append(Answers.Ok($"{connection}-{i}"));
            }
            Assert.Equal(answers.ToString(), await ExchangeAsync(server, requests.ToString()));
        }));
    }

    [Theory]
    [MemberData(nameof(Scheduling))]
    public async Task Answer_survives_a_body_that_is_not_read(bool isInline)
    {
        await using SocketServer server = await StartAsync(isInline);
        string request = "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + new string('x', 3_000_000);
        Assert.Equal(Answers.Refused(Refusal.BodySize), await ExchangeAsync(server, request));
    }

    [Theory]
    [MemberData(nameof(Scheduling))]
    public async Task Reset_connections_leave_nothing_behind(bool isInline)
    {
        await using SocketServer server = await StartAsync(isInline);
        string putAndGet = ManualServer.Put("/a", "1") + ManualServer.Get("/a");
        byte[] requests = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(putAndGet, 500)));
        for (int i = 0; i < 50; i++)
        {
            using Socket socket = await server.ConnectAsync();
            socket.LingerState = new LingerOption(true, 0);
            await socket.SendAsync(requests.AsMemory(0, requests.Length - i), TestContext.Current.CancellationToken);
        }
        await Eventually.TrueAsync(() => server.Front.ConnectionCount == 0);
        Assert.Equal(Answers.NoContent, await ExchangeAsync(server, ManualServer.Put("/b", "1")));
    }

    private async Task<SocketServer> StartAsync(bool isInline) =>
        await SocketServer.StartAsync(new HttpFront(store.Submit, new HttpLimits(), TimeProvider.System), isInline);

    /// <summary>
    /// Sends all requests while it receives, ends its side, and returns the bytes until the node ends its side.
    /// </summary>
    private static async Task<string> ExchangeAsync(SocketServer server, string requests)
    {
        using Socket socket = await server.ConnectAsync();
        Task sending = SendAsync(socket, requests);
        StringBuilder received = new();
        byte[] buffer = new byte[65536];
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(20));
        int length;
        while ((length = await socket.ReceiveAsync(buffer.AsMemory(), deadline.Token)) > 0)
            received.Append(Encoding.Latin1.GetString(buffer, 0, length));
        await sending;
        return Answers.WithoutDates(received.ToString());
    }

    private static async Task SendAsync(Socket socket, string requests)
    {
        ReadOnlyMemory<byte> bytes = Encoding.Latin1.GetBytes(requests);
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes)..];
        socket.Shutdown(SocketShutdown.Send);
    }
}
