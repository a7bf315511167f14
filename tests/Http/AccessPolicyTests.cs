namespace RaftFast.Http.Tests;

public sealed class AccessPolicyTests
{
    private const string Navigation = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";

    /// <summary>Host names that this server answers to: names are compared without case, port and final dot.</summary>
    [Theory]
    [InlineData("127.0.0.1:9121")]
    [InlineData("10.1.2.3")]
    [InlineData("[::1]:9121")]
    [InlineData("localhost:1")]
    [InlineData("LOCALHOST")]
    [InlineData("localhost.")]
    [InlineData("node-1:9121")]
    [InlineData("Node-1.:9121")]
    [InlineData("")]
    public async Task Own_host_is_answered(string host) =>
        Assert.Equal(404, await StatusAsync($"GET /a HTTP/1.1\r\nHost: {host}\r\n"));

    [Theory]
    [InlineData("rebound.example")]
    [InlineData("rebound.example:9121")]
    [InlineData("127.0.0.1.rebound.example")]
    [InlineData("localhost.rebound.example")]
    [InlineData("node-10")]
    [InlineData("xlocalhost")]
    public async Task Host_of_another_server_is_misdirected(string host) =>
        Assert.Equal(421, await StatusAsync($"GET /a HTTP/1.1\r\nHost: {host}\r\n"));

    [Fact]
    public async Task Host_of_an_absolute_target_counts()
    {
        Assert.Equal(404, await StatusAsync("GET http://localhost/a HTTP/1.1\r\nHost: rebound.example\r\n"));
        Assert.Equal(421, await StatusAsync("GET http://rebound.example/a HTTP/1.1\r\nHost: localhost\r\n"));
    }

    [Fact]
    public async Task Request_without_a_host_is_answered() =>
        Assert.Equal(404, await StatusAsync("GET /a HTTP/1.0\r\n"));

    [Fact]
    public async Task Any_host_is_answered_without_a_list() =>
        Assert.Equal(404, await StatusAsync("GET /a HTTP/1.1\r\nHost: db.example\r\n", AccessPolicy.AnyHost));

    [Theory]
    [InlineData("Origin: http://evil.example\r\n")]
    [InlineData("Origin: null\r\n")]
    [InlineData("Origin:\r\n")]
    [InlineData("Origin: http://localhost:9122\r\n")]
    [InlineData("Origin: http://localhost\r\n")]
    [InlineData("Origin: http://localhost:9121\r\nOrigin: http://localhost:9121\r\n")]
    [InlineData("Sec-Fetch-Site: cross-site\r\n")]
    [InlineData("Sec-Fetch-Site: same-site\r\n")]
    [InlineData("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n")]
    [InlineData("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n")]
    public async Task Page_of_another_site_is_refused(string headers)
    {
        Assert.Equal(403, await StatusAsync($"GET /a HTTP/1.1\r\nHost: localhost:9121\r\n{headers}"));
        Assert.Equal(403, await StatusAsync(
            $"POST /4 HTTP/1.1\r\nHost: localhost:9121\r\nContent-Length: 0\r\n{headers}", AccessPolicy.AnyHost));
    }

    [Theory]
    [InlineData("Origin: http://localhost:9121\r\nSec-Fetch-Site: same-origin\r\n")]
    [InlineData("Origin: https://LOCALHOST:9121\r\n")]
    [InlineData("Sec-Fetch-Site: none\r\n")]
    [InlineData("Sec-Fetch-Site: cross-site\r\n" + Navigation)]
    public async Task Own_page_and_a_followed_link_are_answered(string headers) =>
        Assert.Equal(404, await StatusAsync($"GET /a HTTP/1.1\r\nHost: localhost:9121\r\n{headers}"));

    [Fact]
    public async Task Form_of_another_site_is_no_followed_link() =>
        Assert.Equal(403, await StatusAsync(
            "POST /4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
            + $"Origin: http://evil.example\r\n{Navigation}"));

    [Fact]
    public async Task Refused_request_keeps_the_connection_and_stores_nothing()
    {
        using Store store = new();
        await using HttpFront front = new(
            store.Submit, new HttpLimits(), new ManualTime(), access: AccessPolicy.OnlyHosts(["node-1"]));
        PipeClient client = new(front);
        await client.SendAsync(
            "PUT /a HTTP/1.1\r\nHost: rebound.example\r\nContent-Length: 1\r\n\r\nv"
            + "GET /a HTTP/1.1\r\nHost: node-1\r\nConnection: close\r\n\r\n");
        string answers = await client.ReceiveAllAsync();
        Assert.StartsWith("HTTP/1.1 421 Misdirected Request\r\n", answers, StringComparison.Ordinal);
        Assert.Contains("--allowed-host", answers, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 404 Not Found\r\n", answers, StringComparison.Ordinal);
    }

    private static async Task<int> StatusAsync(string head, AccessPolicy? access = null)
    {
        using Store store = new();
        await using HttpFront front = new(
            store.Submit, new HttpLimits(), new ManualTime(), access: access ?? AccessPolicy.OnlyHosts(["node-1"]));
        PipeClient client = new(front);
        await client.SendAsync(head + "Connection: close\r\n\r\n");
        string answer = await client.ReceiveAllAsync();
        return int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
    }
}
