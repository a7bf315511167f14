using System.Text;

namespace RaftFast.Http.Tests;

/// <summary>
/// Requests and their answers, byte for byte. A probe follows each row's request, and shows whether the connection
/// stayed open and where the request ended. Each row is sent whole, cut in two at every place, and byte by byte. The
/// answers must be the same.
/// </summary>
public sealed class RequestTableTests : IDisposable
{
    private const string Probe = "GET /probe HTTP/1.1\r\nHost: h\r\n\r\n";

    private readonly Store store = new();

    public static TheoryData<string, string, string> Kept { get; } = new()
    {
        { "PUT", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", Answers.NoContent },
        { "PUT of nothing", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Answers.NoContent },
        { "GET of nothing", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Answers.NotFound },
        {
            "GET after PUT",
            "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.Ok("abc")
        },
        {
            "empty value", "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.Ok("")
        },
        {
            "PUT after GET",
            "GET /a HTTP/1.1\r\nHost: h\r\n\r\nPUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
            + "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyzGET /a HTTP/1.1\r\nHost: h\r\n\r\n"
            + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NotFound + Answers.NoContent + Answers.NoContent + Answers.Ok("xyz") + Answers.NotFound
        },
        {
            "keys are raw targets",
            "PUT /a%2Fb HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1"
            + "PUT /a/b HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n2"
            + "PUT /a/b?q=%20 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n3"
            + "PUT /http://h/a/b HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n4"
            + "PUT /\u00e9\u00ff HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n5"
            + "GET /a%2Fb HTTP/1.1\r\nHost: h\r\n\r\nGET /a/b HTTP/1.1\r\nHost: h\r\n\r\n"
            + "GET /a/b?q=%20 HTTP/1.1\r\nHost: h\r\n\r\n"
            + "GET /http://h/a/b HTTP/1.1\r\nHost: h\r\n\r\nGET /\u00e9\u00ff HTTP/1.1\r\nHost: h\r\n\r\n"
            + "GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.NoContent + Answers.NoContent + Answers.NoContent + Answers.NoContent
            + Answers.Ok("1") + Answers.Ok("2") + Answers.Ok("3") + Answers.Ok("4") + Answers.Ok("5")
            + Answers.NotFound
        },
        {
            "values are bytes",
            "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n\0\r\n\r\n\u00ffGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent
            + Answers.Ok("\0\r\n\r\n\u00ff").Replace(
                "text/plain; charset=utf-8", "application/octet-stream", StringComparison.Ordinal)
        },
        {
            "chunks",
            "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n"
            + "0\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.Ok("abc0123456789")
        },
        {
            "chunk extensions and trailers",
            "PUT /a HTTP/1.1\r\nHost: h\r\ntransfer-ENCODING:\t Chunked \r\n\r\n3;a=b;c=\"d\"\r\nabc\r\n1 ;\t\r\n"
            + "d\r\n0;z\r\nT: 1\r\nContent-Length: 9\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.Ok("abcd")
        },
        {
            "no chunk",
            "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n000\r\n\r\n",
            Answers.NoContent
        },
        { "POST of a member", "POST /4 HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhttp://x", Answers.NoContent },
        {
            "POST without a number",
            "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhttp://x",
            Answers.With("400 Bad Request", "Failed on POST\n")
        },
        {
            "POST of 0",
            "POST /0 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
            Answers.With("400 Bad Request", "Failed on POST\n")
        },
        { "DELETE of a member", "DELETE /0x10 HTTP/1.1\r\nHost: h\r\n\r\n", Answers.NoContent },
        {
            "DELETE without a number",
            "DELETE /1_0 HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.With("400 Bad Request", "Failed on DELETE\n")
        },
        { "GET with a body", "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /", Answers.NotFound },
        {
            "GET with a chunked body",
            "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            Answers.NotFound
        },
        { "DELETE with a body", "DELETE /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab", Answers.NoContent },
        { "another method", "PATCH /a HTTP/1.1\r\nHost: h\r\n\r\n", Answers.MethodNotAllowed },
        {
            "another method with a body",
            "PATCH /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
            Answers.MethodNotAllowed
        },
        { "OPTIONS of all", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", Answers.MethodNotAllowed },
        { "methods in lower case", "get /a HTTP/1.1\r\nHost: h\r\n\r\n", Answers.MethodNotAllowed },
        {
            "HEAD", "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NotFound.Replace("Failed to GET\n", "", StringComparison.Ordinal)
        },
        { "HTTP/1.2", "GET /a HTTP/1.2\r\nHost: h\r\n\r\n", Answers.NotFound },
        {
            "absolute-form",
            "PUT http://h/a%20b?c HTTP/1.1\r\nHost: other\r\nContent-Length: 1\r\n\r\nv"
            + "GET /a%20b?c HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.Ok("v")
        },
        {
            "absolute-form without a path",
            "PUT HTTPS://h HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nvGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.Ok("v")
        },
        {
            "Content-Range of a GET", "GET /a HTTP/1.1\r\nHost: h\r\nContent-Range: bytes 5-5/6\r\n\r\n",
            Answers.NotFound
        },
        {
            "refusals wait their turn",
            "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nxPATCH /a HTTP/1.1\r\nHost: h\r\n\r\n"
            + "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
            Answers.NoContent + Answers.MethodNotAllowed + Answers.Ok("x")
        },
        { "empty lines before", "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\n", Answers.NotFound },
        {
            "HTTP/1.0 with keep-alive",
            "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            Answers.NotFound.Replace("Date", "Connection: keep-alive\r\nDate", StringComparison.Ordinal)
        },
        {
            "headers that are ignored",
            "GET /a HTTP/1.1\r\nHost:h:80\r\nX-Y_z!:\t \r\nAccept: */*, \u00e9\r\nConnection: te, x\r\n\r\n",
            Answers.NotFound
        },
        {
            "expectation without a body",
            "GET /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
            Answers.NotFound
        },
        {
            "expectation",
            "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc",
            Answers.NoContent
        },
        {
            "expectation in HTTP/1.0",
            "PUT /a HTTP/1.0\r\nExpect: 100-continue\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
            Answers.NoContent.Replace("Date", "Connection: keep-alive\r\nDate", StringComparison.Ordinal)
        },
    };

    public static TheoryData<string, string, string> Closed { get; } = new()
    {
        {
            "asked to close",
            "GET /a HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n",
            Answers.Closing(Answers.NotFound)
        },
        { "HTTP/1.0", "PUT /a HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", Answers.Closing(Answers.NoContent) },
        {
            "closes after others",
            "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nxGET /a HTTP/1.1\r\nHost: h\r\n"
            + "Connection: close\r\n\r\n",
            Answers.NoContent + Answers.Closing(Answers.Ok("x"))
        },
        {
            "refused after others",
            "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nxGET /a\r\n\r\n",
            Answers.NoContent + Answers.Refused(Refusal.RequestLine)
        },
        {
            "refusal of HEAD",
            "HEAD /a HTTP/1.1\r\n\r\n",
            Answers.Refused(Refusal.Host)
                .Replace(Encoding.ASCII.GetString(Refusal.Host.Body), "", StringComparison.Ordinal)
        },
        {
            "expectation of a method that is not allowed",
            "PATCH /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
            Answers.Closing(Answers.MethodNotAllowed)
        },
        {
            "expectation of a POST without a number",
            "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
            Answers.Closing(Answers.With("400 Bad Request", "Failed on POST\n"))
        },
    };

    [Theory]
    [MemberData(nameof(Kept))]
    public async Task Answers_and_keeps_the_connection(string name, string request, string answer) =>
        await SendEveryWayAsync(name, request, answer + Answers.NotFound);

    [Theory]
    [MemberData(nameof(Closed))]
    public async Task Answers_and_closes_the_connection(string name, string request, string answer) =>
        await SendEveryWayAsync(name, request, answer);

    [Theory]
    [MemberData(nameof(MalformedRequests.Rows), MemberType = typeof(MalformedRequests))]
    public async Task Refuses_and_closes_the_connection(string name, string request, string refusal) =>
        await SendEveryWayAsync(name, request, Answers.Refused(MalformedRequests.Named(refusal)));

    public void Dispose() => store.Dispose();

    private async Task SendEveryWayAsync(string name, string request, string expected)
    {
        await using HttpFront front = new(store.Submit, new HttpLimits(), new ManualTime());
        byte[] bytes = Encoding.Latin1.GetBytes(request + Probe);
        // A long row tests a size limit: a sample of its cuts is enough.
        int step = Math.Max(1, bytes.Length / 512);
        for (int cut = 0; cut < bytes.Length; cut += step)
            Assert.Equal($"{name}: {expected}", $"{name}: {await SendAsync(front, bytes[..cut], bytes[cut..])}");
        byte[][] single = [.. bytes.Select(b => new[] { b })];
        Assert.Equal($"{name}: {expected}", $"{name}: {await SendAsync(front, single)}");
    }

    private async Task<string> SendAsync(HttpFront front, params byte[][] pieces)
    {
        store.Clear();
        PipeClient client = new(front);
        foreach (byte[] piece in pieces)
            await client.SendAsync(piece);
        await client.EndAsync();
        string answers = await client.ReceiveAllAsync();
        // The front sends 100 Continue only if the body has not begun to arrive, which depends on the cut.
        return answers.Replace(Answers.Continue, "", StringComparison.Ordinal);
    }
}
