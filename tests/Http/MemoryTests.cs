namespace RaftFast.Http.Tests;

/// <summary>
/// Memory of requests and answers: the share of a connection, the whole, and the connection that ends at the bound.
/// </summary>
public sealed class MemoryTests
{
    private const int ValueBytes = 100_000;

    private static readonly int BufferBytes = BufferPool.SizeFor(ValueBytes);

    private static readonly HttpLimits Small =
        new() { MemoryMax = 4 * BufferBytes, PipelineBytesMax = 2 * BufferBytes };

    [Fact]
    public async Task Answers_of_one_connection_have_room_up_to_its_share()
    {
        await using ManualServer server = new(Small);
        PipeClient client = new(server.Front);
        List<ClientRequest> gets = await GetsAsync(server, client, 4);
        Assert.True(gets[0].TryHoldAnswer(ValueBytes));
        Assert.True(gets[1].TryHoldAnswer(ValueBytes));
        Assert.False(gets[2].TryHoldAnswer(ValueBytes));
        Assert.True(gets[3].TryHoldAnswer(1000));
        gets[0].CompleteValue(new byte[ValueBytes]);
        gets[0].Owner.Resume();
        await Eventually.TrueAsync(() =>
        {
            client.DropNow();
            return gets[2].TryHoldAnswer(ValueBytes);
        });
    }

    [Fact]
    public async Task Answers_of_all_connections_have_room_up_to_the_bound_and_small_ones_beyond()
    {
        await using ManualServer server = new(Small);
        List<ClientRequest> gets = [];
        for (int i = 0; i < 3; i++)
            gets.AddRange(await GetsAsync(server, new PipeClient(server.Front), 2));
        Assert.Equal([true, true, true, true, false, false], gets.Select(get => get.TryHoldAnswer(ValueBytes)));
        PipeClient another = new(server.Front);
        ClientRequest small = (await GetsAsync(server, another, 1))[0];
        Assert.True(small.TryHoldAnswer(64));
    }

    [Fact]
    public async Task Connection_that_takes_nothing_ends_when_others_need_its_memory()
    {
        await using ManualServer server = new(Small);
        PipeClient[] clients = [new(server.Front), new(server.Front), new(server.Front)];
        List<ClientRequest> gets = [];
        foreach (PipeClient client in clients)
            gets.AddRange(await GetsAsync(server, client, 2));
        Assert.All(gets.Take(4), get => Assert.True(get.TryHoldAnswer(ValueBytes)));
        for (int i = 0; i < 4; i++)
        {
            gets[i].CompleteValue(new byte[ValueBytes]);
            gets[i].Owner.Resume();
        }
        await Eventually.TrueAsync(() =>
        {
            server.Time.Advance(CoarseClock.Period);
            return gets[4].TryHoldAnswer(ValueBytes);
        });
        Assert.Contains(clients, client => client.Closed.IsCompleted);
        Assert.False(clients[2].Closed.IsCompleted);
    }

    [Fact]
    public async Task Body_without_room_waits_until_there_is_room()
    {
        await using ManualServer server = new(Small);
        List<ClientRequest> gets = await GetsAsync(server, new PipeClient(server.Front), 2);
        gets.AddRange(await GetsAsync(server, new PipeClient(server.Front), 2));
        Assert.All(gets, get => Assert.True(get.TryHoldAnswer(ValueBytes)));
        PipeClient writer = new(server.Front, pauseWriterThreshold: 1 << 20);
        await writer.SendAsync(ManualServer.Put("/large", new string('v', ValueBytes)));
        PipeClient other = new(server.Front);
        await other.SendAsync(ManualServer.Put("/small", "v"));
        Assert.Equal("/small", ManualServer.KeyOf(await server.TakeAsync()));
        foreach (ClientRequest get in gets)
        {
            get.CompleteNotFound();
            get.Owner.Resume();
        }
        Task<ClientRequest> large = server.TakeAsync();
        await server.PassTimeUntilAsync(large);
        Assert.Equal("/large", ManualServer.KeyOf(await large));
    }

    [Fact]
    public async Task Request_without_room_for_its_key_waits_with_its_headers_unread()
    {
        await using ManualServer server = new(Small);
        List<ClientRequest> gets = await GetsAsync(server, new PipeClient(server.Front), 2);
        gets.AddRange(await GetsAsync(server, new PipeClient(server.Front), 2));
        Assert.All(gets, get => Assert.True(get.TryHoldAnswer(ValueBytes)));
        PipeClient reader = new(server.Front);
        string key = "/" + new string('k', 8000);
        await reader.SendAsync(ManualServer.Get(key));
        // The deadline for headers does not count while the server keeps the client waiting.
        for (int i = 0; i < 60; i++)
            server.Time.Advance(CoarseClock.Period);
        Assert.False(reader.Closed.IsCompleted);
        foreach (ClientRequest get in gets)
        {
            get.CompleteNotFound();
            get.Owner.Resume();
        }
        Task<ClientRequest> waiting = server.TakeAsync();
        await server.PassTimeUntilAsync(waiting);
        Assert.Equal(key, ManualServer.KeyOf(await waiting));
    }

    [Fact]
    public async Task Request_beyond_the_bound_of_all_requests_is_answered_503()
    {
        await using ManualServer server = new(new HttpLimits { RequestsMax = 2 });
        await GetsAsync(server, new PipeClient(server.Front), 2);
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Get("/a"));
        Assert.StartsWith("HTTP/1.1 503", await client.ReceiveAsync("\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_that_is_idle_longest_gives_way_and_without_one_the_new_connection_is_refused()
    {
        await using ManualServer server = new(new HttpLimits { ConnectionsMax = 2, ConnectionsBeyondMax = 2 });
        PipeClient busy = new(server.Front);
        await GetsAsync(server, busy, 1);
        PipeClient idle = new(server.Front);
        await idle.SendAsync(ManualServer.Get("/a"));
        ClientRequest get = await server.TakeAsync();
        get.CompleteNotFound();
        get.Owner.Resume();
        await idle.ReceiveAsync("Failed to GET\n");

        PipeClient refused = new(server.Front);
        await refused.SendAsync(ManualServer.Get("/b"));
        Assert.StartsWith("HTTP/1.1 503", await refused.ReceiveAllAsync(), StringComparison.Ordinal);

        for (int i = 0; i < 4; i++)
            server.Time.Advance(CoarseClock.Period);
        PipeClient admitted = new(server.Front);
        await GetsAsync(server, admitted, 1);
        await Eventually.TrueAsync(() => idle.Closed.IsCompleted);
        Assert.False(busy.Closed.IsCompleted);
    }

    private static async Task<List<ClientRequest>> GetsAsync(ManualServer server, PipeClient client, int count)
    {
        List<ClientRequest> gets = [];
        for (int i = 0; i < count; i++)
        {
            await client.SendAsync(ManualServer.Get("/key"));
            gets.Add(await server.TakeAsync());
        }
        return gets;
    }
}
