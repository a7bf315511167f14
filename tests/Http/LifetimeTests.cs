namespace RaftFast.Http.Tests;

public sealed class LifetimeTests
{
    private const string Request =
        "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n";

    [Fact]
    public async Task Truncated_request_is_never_submitted()
    {
        await using ManualServer server = new();
        for (int length = 0; length < Request.Length; length++)
        {
            PipeClient client = new(server.Front);
            await client.SendAsync(Request[..length]);
            await client.EndAsync();
            Assert.Equal(length == 0 ? "" : Answers.Refused(Refusal.Truncated), await client.ReceiveAllAsync());
            Assert.Equal(0, server.Waiting);
        }
    }

    [Fact]
    public async Task Client_that_ended_its_side_still_gets_its_answers()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Put("/a", "1") + ManualServer.Get("/a"));
        await client.EndAsync();
        ClientRequest put = await server.TakeAsync();
        put.CompleteNoContent();
        put.Owner.Resume();
        ClientRequest get = await server.TakeAsync();
        get.CompleteValue("1"u8);
        get.Owner.Resume();
        Assert.Equal(Answers.NoContent + Answers.Ok("1"), await client.ReceiveAllAsync());
    }

    [Fact]
    public async Task Connection_serves_no_other_client_while_a_request_is_outstanding()
    {
        await using ManualServer server = new(new HttpLimits { ConnectionsMax = 1 });
        PipeClient gone = new(server.Front);
        await gone.SendAsync(ManualServer.Put("/a", "1") + ManualServer.Put("/b", "2") + ManualServer.Get("/c"));
        await gone.ResetAsync();
        ClientRequest[] puts = [await server.TakeAsync(), await server.TakeAsync()];

        puts[1].CompleteNoContent();
        puts[1].Owner.Resume();
        puts[0].Owner.Resume();
        PipeClient refused = new(server.Front);
        await refused.SendAsync(ManualServer.Get("/a"));
        Assert.Equal(Answers.Refused(Refusal.Connections), await refused.ReceiveAllAsync());
        Assert.Equal("/a", ManualServer.KeyOf(puts[0]));

        IRequestOwner connection = puts[0].Owner;
        puts[0].CompleteNoContent();
        connection.Resume();
        // The connection reads nothing while a request is held. The connection notices the reset when it writes the
        // answers.
        ClientRequest held = await server.TakeAsync();
        await Eventually.EndsAsync(gone.Closed);
        held.CompleteNotFound();
        connection.Resume();
        PipeClient next = null!;
        await Eventually.TrueAsync(() =>
        {
            next = new PipeClient(server.Front);
            return !next.Closed.IsCompleted
                && next.SendAsync(ManualServer.Get("/d")).IsCompleted && server.Waiting == 1;
        });
        ClientRequest get = await server.TakeAsync();
        Assert.Same(connection, get.Owner);
        Assert.Equal("/d", ManualServer.KeyOf(get));
        // Late wakes on behalf of the previous client do nothing.
        connection.Resume();
        get.CompleteNotFound();
        connection.Resume();
        connection.Resume();
        Assert.Equal(Answers.NotFound, await next.ReceiveAsync("Failed to GET\n"));
    }

    [Fact]
    public async Task Reset_connection_is_closed_at_once()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Put("/a", "1"));
        await client.ResetAsync();
        await Eventually.EndsAsync(client.Closed);
        (await server.TakeAsync()).CompleteNoContent();
    }

    [Fact]
    public async Task Connection_is_marked_once_until_it_is_resumed()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Put("/a", "1") + ManualServer.Put("/b", "2"));
        ClientRequest[] puts = [await server.TakeAsync(), await server.TakeAsync()];
        puts[0].CompleteNoContent();
        Assert.True(puts[0].Owner.MarkForResume());
        puts[1].CompleteNoContent();
        Assert.False(puts[1].Owner.MarkForResume());
        puts[0].Owner.Resume();
        await client.ReceiveAsync(Answers.NoContent + Answers.NoContent);
        Assert.True(puts[0].Owner.MarkForResume());
    }

    [Fact]
    public async Task Stop_answers_outstanding_requests_and_refuses_incomplete_ones()
    {
        await using ManualServer server = new();
        PipeClient idle = new(server.Front);
        PipeClient busy = new(server.Front);
        PipeClient partial = new(server.Front);
        await busy.SendAsync(ManualServer.Put("/a", "1") + ManualServer.Put("/b", "2") + ManualServer.Get("/a"));
        await partial.SendAsync("PUT /a HTTP/1.1\r\n");

        Task stopped = server.Front.StopAsync(TimeSpan.FromDays(10));
        Assert.Equal("", await idle.ReceiveAllAsync());
        Task<string> refusal = partial.ReceiveAllAsync();
        await server.PassTimeUntilAsync(refusal);
        Assert.Equal(Answers.Refused(Refusal.Stopping), await refusal);
        PipeClient late = new(server.Front);
        await late.SendAsync(ManualServer.Get("/a"));
        Assert.Equal(Answers.Refused(Refusal.Stopping), await late.ReceiveAllAsync());

        foreach (ClientRequest put in new[] { await server.TakeAsync(), await server.TakeAsync() })
        {
            put.CompleteNoContent();
            put.Owner.Resume();
        }
        ClientRequest get = await server.TakeAsync();
        get.CompleteValue("1"u8);
        get.Owner.Resume();
        Assert.Equal(
            Answers.NoContent + Answers.NoContent + Answers.Closing(Answers.Ok("1")), await busy.ReceiveAllAsync());
        await Eventually.EndsAsync(stopped);
    }

    [Fact]
    public async Task Stop_drops_connections_that_are_left_after_the_grace()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Put("/a", "1"));
        Task stopped = server.Front.StopAsync(TimeSpan.FromSeconds(5));
        Assert.False(stopped.IsCompleted);
        server.Time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.EndsAsync(stopped);
        await Eventually.EndsAsync(client.Closed);
        await Eventually.TrueAsync(() => client.Context.ConnectionClosed.IsCancellationRequested);
        (await server.TakeAsync()).CompleteNoContent();
    }
}
