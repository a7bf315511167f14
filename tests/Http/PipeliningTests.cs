using System.Text;

namespace RaftFast.Http.Tests;

public sealed class PipeliningTests
{
    private const string Expecting =
        "PUT /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";

    [Fact]
    public async Task Puts_are_outstanding_together_and_answered_in_order()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Put("/a", "1") + ManualServer.Put("/b", "2") + ManualServer.Put("/c", "3"));
        ClientRequest[] puts = [await server.TakeAsync(), await server.TakeAsync(), await server.TakeAsync()];
        Assert.Equal(["/a", "/b", "/c"], puts.Select(ManualServer.KeyOf));

        puts[2].CompleteNoContent();
        puts[2].Owner.Resume();
        puts[1].CompleteError(503, "Busy: try again.\n"u8);
        puts[1].Owner.Resume();
        puts[0].CompleteError(504, "Unknown: look.\n"u8);
        puts[0].Owner.Resume();

        Assert.Equal(
            Answers.With("504 Gateway Timeout", "Unknown: look.\n")
            + Answers.With("503 Service Unavailable", "Busy: try again.\n", "Retry-After: 1\r\n") + Answers.NoContent,
            await client.ReceiveAsync(Answers.NoContent));
    }

    [Fact] // RFC 9112 §9.3.2
    public async Task Get_after_a_put_is_submitted_when_the_put_is_finished()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(
            ManualServer.Put("/a", "1") + ManualServer.Get("/a") + ManualServer.Get("/b") + ManualServer.Put("/a", "2")
            + "POST /7 HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhttp://xDELETE /7 HTTP/1.1\r\nHost: h\r\n\r\n");

        ClientRequest put = await server.TakeAsync();
        Assert.Equal(0, server.Waiting);
        put.CompleteNoContent();
        put.Owner.Resume();

        ClientRequest[] gets = [await server.TakeAsync(), await server.TakeAsync()];
        Assert.Equal(0, server.Waiting);
        gets[1].CompleteNotFound();
        gets[1].Owner.Resume();
        await client.ReceiveAsync(Answers.NoContent);
        Assert.Equal(0, server.Waiting);
        gets[0].CompleteValue("1"u8);
        gets[0].Owner.Resume();

        put = await server.TakeAsync();
        Assert.Equal(ClientRequestMethod.Put, put.Method);
        Assert.Equal(0, server.Waiting);
        put.CompleteNoContent();
        put.Owner.Resume();

        ClientRequest post = await server.TakeAsync();
        Assert.Equal(ClientRequestMethod.AddMember, post.Method);
        Assert.Equal(7ul, post.MemberId);
        Assert.True(post.Body.SequenceEqual("http://x"u8));
        Assert.Equal(0, server.Waiting);
        post.CompleteError(409, "It is a member: remove it first.\n"u8);
        post.Owner.Resume();

        ClientRequest delete = await server.TakeAsync();
        Assert.Equal(ClientRequestMethod.RemoveMember, delete.Method);
        Assert.Equal(7ul, delete.MemberId);
        delete.CompleteError(507, "The disk is full: make room.\n"u8);
        delete.Owner.Resume();

        Assert.Equal(
            Answers.Ok("1") + Answers.NotFound + Answers.NoContent
            + Answers.With("409 Conflict", "It is a member: remove it first.\n")
            + Answers.With("507 Insufficient Storage", "The disk is full: make room.\n"),
            await client.ReceiveAsync("make room.\n"));
    }

    [Fact]
    public async Task Outstanding_requests_are_bounded_by_number()
    {
        await using ManualServer server = new(new HttpLimits { PipelineDepthMax = 4 });
        PipeClient client = new(server.Front);
        await client.SendAsync(string.Concat(Enumerable.Repeat(ManualServer.Put("/a", "1"), 10)));
        Assert.Equal(4, server.Waiting);

        ClientRequest first = await server.TakeAsync();
        first.CompleteNoContent();
        first.Owner.Resume();
        await Eventually.TrueAsync(() => server.Waiting == 4);
        await client.ReceiveAsync(Answers.NoContent);
        Assert.Equal(4, server.Waiting);

        for (int i = 1; i < 10; i++)
        {
            ClientRequest next = await server.TakeAsync();
            next.CompleteNoContent();
            next.Owner.Resume();
            await client.ReceiveAsync(Answers.NoContent);
        }
        Assert.Equal(0, server.Waiting);
    }

    [Fact]
    public async Task Outstanding_requests_are_bounded_by_bytes()
    {
        await using ManualServer server = new(new HttpLimits { PipelineBytesMax = 1000 });
        PipeClient client = new(server.Front);
        await client.SendAsync(string.Concat(Enumerable.Repeat(ManualServer.Put("/a", new string('v', 600)), 4)));
        Assert.Equal(2, server.Waiting);
        for (int i = 0; i < 4; i++)
        {
            ClientRequest next = await server.TakeAsync();
            next.CompleteNoContent();
            next.Owner.Resume();
            await client.ReceiveAsync(Answers.NoContent);
        }
        Assert.Equal(0, server.Waiting);
    }

    [Fact]
    public async Task Client_that_does_not_read_is_not_served()
    {
        int served = 0;
        byte[] value = new byte[10_000];
        await using HttpFront front = new(
            request =>
            {
                served++;
                request.CompleteValue(value);
            },
            new HttpLimits { PipelineDepthMax = 8 },
            new ManualTime());
        PipeClient client = new(front);
        await client.SendAsync(string.Concat(Enumerable.Repeat(ManualServer.Get("/a"), 200)));
        Assert.InRange(served, 1, 16);
        for (int i = 0; i < 200; i++)
            await client.ReceiveAsync(new string('\0', value.Length));
        Assert.Equal(200, served);
    }

    [Fact] // RFC 9110 §10.1.1
    public async Task Client_is_asked_to_continue_after_the_answers_before()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Put("/a", "1") + Expecting);
        Assert.Equal("", client.ReceiveNow());

        ClientRequest put = await server.TakeAsync();
        put.CompleteNoContent();
        put.Owner.Resume();
        Assert.Equal(Answers.NoContent + Answers.Continue, await client.ReceiveAsync(Answers.Continue));

        await client.SendAsync("a");
        await client.SendAsync("bc");
        put = await server.TakeAsync();
        string record = Encoding.Latin1.GetString(put.Record);
        Assert.EndsWith("/babc", record.TrimEnd('\0'), StringComparison.Ordinal);
        put.CompleteNoContent();
        put.Owner.Resume();
        Assert.Equal(Answers.NoContent, await client.ReceiveAsync(Answers.NoContent));
    }

    [Fact]
    public async Task Client_that_does_not_wait_is_not_asked_to_continue()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(Expecting + "a");
        await client.SendAsync("bc");
        ClientRequest put = await server.TakeAsync();
        put.CompleteNoContent();
        put.Owner.Resume();
        Assert.Equal(Answers.NoContent, await client.ReceiveAsync(Answers.NoContent));
    }

    [Fact]
    public async Task Client_that_waits_to_continue_is_not_timed_out_by_the_requests_before()
    {
        await using ManualServer server = new();
        PipeClient client = new(server.Front);
        await client.SendAsync(ManualServer.Put("/a", "1") + Expecting);
        server.Time.Advance(TimeSpan.FromMinutes(5));
        ClientRequest put = await server.TakeAsync();
        put.CompleteNoContent();
        put.Owner.Resume();
        Assert.Equal(Answers.NoContent + Answers.Continue, await client.ReceiveAsync(Answers.Continue));
    }

    [Fact]
    public async Task Largest_value_comes_back()
    {
        const int ValueStart = Protocol.Record.HeaderSize + Protocol.PutCommand.HeaderSize + 8192;
        byte[] kept = [];
        await using HttpFront front = new(
            request =>
            {
                if (request.Method == ClientRequestMethod.Put)
                {
                    kept = request.Record.ToArray();
                    request.CompleteNoContent();
                }
                else
                {
                    request.CompleteValue(kept.AsSpan(ValueStart));
                }
            },
            new HttpLimits(),
            new ManualTime());
        string key = "/" + new string('k', 8191);
        string value = string.Create(1 << 20, 0, static (chars, _) =>
        {
            for (int i = 0; i < chars.Length; i++)
                chars[i] = (char)(' ' + i % 90);
        });
        PipeClient client = new(front, pauseWriterThreshold: 1 << 24);
        await client.SendAsync(ManualServer.Put(key, value) + ManualServer.Get(key));
        await client.EndAsync();
        Assert.Equal(Answers.NoContent + Answers.Ok(value), await client.ReceiveAllAsync());
        Assert.Equal(Protocol.DecodeStatus.Complete, Protocol.Record.TryRead(kept, out _));
    }
}
