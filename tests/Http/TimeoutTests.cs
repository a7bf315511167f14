namespace RaftFast.Http.Tests;

public sealed class TimeoutTests
{
    [Fact]
    public async Task Headers_that_do_not_end_are_answered_408()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync("GET /a HTTP/1.1\r\n");
        // Bytes that arrive one line at a time don't extend the deadline.
        for (int i = 0; i < 9; i++)
        {
            server.Time.Advance(TimeSpan.FromSeconds(1));
            await client.SendAsync("A: b\r\n");
        }
        Assert.Equal("", client.ReceiveNow());
        server.Time.Advance(TimeSpan.FromSeconds(2));
        await client.ReceiveAsync(System.Text.Encoding.ASCII.GetString(Refusal.HeadersTimeout.Body));
        await server.PassTimeUntilAsync(client.Closed);
        Assert.Equal(0, server.Waiting);
    }

    [Fact]
    public async Task Headers_may_arrive_just_before_the_deadline()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync("GET /a HTTP/1.1\r\n");
        server.Time.Advance(TimeSpan.FromSeconds(9.5));
        await client.SendAsync("Host: h\r\n\r\n");
        (await server.TakeAsync()).CompleteNotFound();
        Assert.Equal("", client.ReceiveNow());
    }

    [Fact]
    public async Task Body_that_does_not_end_is_answered_408_after_the_answers_before()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Get("/a") + "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
        server.Time.Advance(TimeSpan.FromSeconds(9));
        await client.SendAsync("x");
        server.Time.Advance(TimeSpan.FromSeconds(2));
        ClientRequest get = await server.TakeAsync();
        get.CompleteNotFound();
        get.Owner.Resume();
        Task<string> answers = client.ReceiveAllAsync();
        await server.PassTimeUntilAsync(answers);
        Assert.Equal(Answers.NotFound + Answers.Refused(Refusal.BodyTimeout), await answers);
        Assert.Equal(0, server.Waiting);
    }

    [Fact]
    public async Task Body_that_comes_slowly_but_steadily_is_taken()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n");
        for (int second = 0; second < 100; second++)
        {
            await client.SendAsync(new string('v', 300));
            server.Time.Advance(TimeSpan.FromSeconds(1));
        }
        ClientRequest put = await server.TakeAsync();
        Assert.Equal("/a", ManualServer.KeyOf(put));
    }

    [Fact]
    public async Task Body_below_the_least_rate_is_answered_408()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n");
        for (int second = 0; second < 12; second++)
        {
            await client.SendAsync(new string('v', 200));
            server.Time.Advance(TimeSpan.FromSeconds(1));
        }
        Task<string> answers = client.ReceiveAllAsync();
        await server.PassTimeUntilAsync(answers);
        Assert.Equal(Answers.Refused(Refusal.BodyTimeout), await answers);
    }

    [Fact]
    public async Task Idle_connection_is_closed_without_an_answer()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        server.Time.Advance(TimeSpan.FromSeconds(129));
        await client.SendAsync(ManualServer.Get("/a"));
        // An outstanding request has no deadline in the front.
        server.Time.Advance(TimeSpan.FromMinutes(10));
        ClientRequest get = await server.TakeAsync();
        get.CompleteNotFound();
        get.Owner.Resume();
        await client.ReceiveAsync("Failed to GET\n");
        await server.PassTimeUntilAsync(client.Closed);
        Assert.Equal("", client.ReceiveNow());
    }

    [Fact]
    public async Task Client_that_does_not_read_is_dropped()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front, pauseWriterThreshold: 1000);
        await client.SendAsync(ManualServer.Get("/a"));
        ClientRequest get = await server.TakeAsync();
        get.CompleteValue(new byte[2000]);
        get.Owner.Resume();
        await server.PassTimeUntilAsync(client.Closed);
        await Eventually.TrueAsync(() => client.Context.ConnectionClosed.IsCancellationRequested);
    }

    [Fact] // RFC 9112 §9.6
    public async Task Refused_request_is_read_and_dropped_for_a_while()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n");
        for (int i = 0; i < 10; i++)
            await client.SendAsync(new byte[200_000]);
        Assert.False(client.Closed.IsCompleted);
        Assert.Equal(Answers.Refused(Refusal.BodySize), client.ReceiveNow());
        await server.PassTimeUntilAsync(client.Closed);
    }
}
