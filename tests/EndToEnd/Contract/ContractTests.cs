using System.Security.Cryptography;
using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Contract;

/// <summary>Requests and answers of the README's table, as curl sees them.</summary>
public sealed class ContractTests(OneNode server) : IClassFixture<OneNode>
{
    private ClusterNode Node => server.Node;

    [Fact]
    public void Put_answers_204_without_a_body()
    {
        CurlResult put = Curl.Put(Node.Url("/put"), "value");
        Assert.Equal((204, "No Content"), (put.Status, put.Reason));
        Assert.Empty(put.Body);
        Assert.False(put.Has("Content-Length")); // RFC 9110 §8.6
        Assert.False(put.Has("Transfer-Encoding"));
        Assert.True(put.Has("Date"));
    }

    [Fact]
    public void Get_of_a_key_answers_200_and_its_value()
    {
        Curl.Put(Node.Url("/get"), "hello");
        CurlResult get = Curl.Get(Node.Url("/get"));
        Assert.Equal((200, "OK", "hello"), (get.Status, get.Reason, get.Text));
        Assert.Equal("5", get.Header("Content-Length"));
        AssertPlainText(get);
        Assert.True(get.Has("Date"));
    }

    [Fact]
    public void Get_of_an_absent_key_answers_404() =>
        AssertAnswer(Curl.Get(Node.Url("/absent")), 404, "Not Found", "Failed to GET\n");

    [Fact]
    public void A_value_may_be_empty()
    {
        Assert.Equal(204, Curl.Put(Node.Url("/empty"), "").Status);
        CurlResult get = Curl.Get(Node.Url("/empty"));
        Assert.Equal((200, ""), (get.Status, get.Text));
        Assert.Equal("0", get.Header("Content-Length"));
    }

    [Fact]
    public void The_last_value_counts()
    {
        Curl.Put(Node.Url("/twice"), "first, and longer");
        Curl.Put(Node.Url("/twice"), "second");
        Assert.Equal("second", Curl.Get(Node.Url("/twice")).Text);
    }

    [Fact]
    public void Keys_are_raw_request_targets()
    {
        string[] targets =
            ["/a/b", "/a%2Fb", "/a%2fb", "//a/b", "/a/b/", "/a/./b", "/a/b?", "/a/b?c=d", "/a/b?c=e", "/A/b", "/"];
        foreach (string target in targets)
            Assert.Equal(204, Curl.Put(Node.Url(target), $"value of {target}").Status);
        foreach (string target in targets)
            Assert.Equal($"value of {target}", Curl.Get(Node.Url(target)).Text);
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("put")]
    [InlineData("INVENTED")]
    public void Any_other_method_answers_405(string method)
    {
        CurlResult answer = Curl.Run("-X", method, Node.Url("/key"));
        AssertAnswer(answer, 405, "Method Not Allowed", "Method not allowed\n");
        AssertAllows(answer);
    }

    [Fact]
    public void Head_answers_as_get_without_the_body()
    {
        Curl.Put(Node.Url("/head"), "value");
        CurlResult answer = Curl.Run("--head", Node.Url("/head"));
        Assert.Equal((0, 200, "5"), (answer.ExitCode, answer.Status, answer.Header("Content-Length")));
        Assert.Empty(answer.Body);
        Assert.Equal(404, Curl.Run("--head", Node.Url("/absent")).Status);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("0x0")]
    [InlineData("name")]
    [InlineData("-1")]
    [InlineData("1.0")]
    [InlineData("0x")]
    [InlineData("0b2")]
    [InlineData("18446744073709551616")]
    [InlineData("")]
    public void An_id_that_is_no_number_answers_400(string id)
    {
        CurlResult post = Curl.Run("-X", "POST", "-d", "http://127.0.0.1:9", Node.Url($"/{id}"));
        AssertAnswer(post, 400, "Bad Request", "Failed on POST\n");
        CurlResult delete = Curl.Run("-X", "DELETE", Node.Url($"/{id}"));
        AssertAnswer(delete, 400, "Bad Request", "Failed on DELETE\n");
    }

    [Fact]
    public void A_large_value_comes_after_100_continue_and_returns_whole()
    {
        byte[] value = Patterned(1 << 20);
        CurlResult put = Curl.RunWithInput(
            value, "-X", "PUT", "-H", "Expect: 100-continue", "--data-binary", "@-", Node.Url("/large"));
        Assert.Equal((0, 204), (put.ExitCode, put.Status));
        Assert.Equal([100], put.Interim);
        Assert.Equal(SHA256.HashData(value), SHA256.HashData(Curl.Get(Node.Url("/large")).Body));
    }

    [Fact]
    public void A_value_over_the_limit_answers_413_without_100_continue()
    {
        byte[] value = Patterned((1 << 20) + 1);
        CurlResult put = Curl.RunWithInput(
            value, "-X", "PUT", "-H", "Expect: 100-continue", "--data-binary", "@-", Node.Url("/too-large"));
        Assert.Equal(413, put.Status);
        Assert.Empty(put.Interim);
        Assert.Equal(404, Curl.Get(Node.Url("/too-large")).Status);
    }

    [Fact]
    public void Another_expectation_answers_417() =>
        Assert.Equal(417, Curl.Run("-X", "PUT", "-d", "value", "-H", "Expect: a-miracle", Node.Url("/key")).Status);

    [Fact]
    public void A_chunked_upload_is_a_value()
    {
        byte[] value = Patterned(100_000);
        CurlResult put = Curl.RunWithInput(value, "-T", "-", "-H", "Transfer-Encoding: chunked", Node.Url("/chunked"));
        Assert.Equal((0, 204), (put.ExitCode, put.Status));
        Assert.Equal(SHA256.HashData(value), SHA256.HashData(Curl.Get(Node.Url("/chunked")).Body));
    }

    [Fact]
    public void HTTP_1_0_works()
    {
        CurlResult put = Curl.Run("--http1.0", "-X", "PUT", "-d", "old", Node.Url("/http10"));
        Assert.Equal((0, 204), (put.ExitCode, put.Status));
        CurlResult get = Curl.Run("--http1.0", Node.Url("/http10"));
        Assert.Equal((0, 200, "old"), (get.ExitCode, get.Status, get.Text));
        Assert.False(get.Has("Transfer-Encoding")); // RFC 9112 §6.1
    }

    [Fact]
    public void Every_byte_is_allowed_in_a_value()
    {
        byte[] value = Patterned(300_001);
        Curl.RunWithInput(value, "-X", "PUT", "--data-binary", "@-", Node.Url("/binary"));
        CurlResult get = Curl.Get(Node.Url("/binary"));
        Assert.Equal(SHA256.HashData(value), SHA256.HashData(get.Body));
        Assert.Equal("application/octet-stream", get.Header("Content-Type"));
        Assert.Equal("nosniff", get.Header("X-Content-Type-Options"));
    }

    [Fact]
    public void One_connection_carries_many_requests()
    {
        CurlResult both = Curl.Run(
            "-o", "/dev/null", "-X", "PUT", "-d", "kept", Node.Url("/alive"), "--next",
            "-sS", "--max-time", $"{Curl.SecondsMax}", "--noproxy", "*", "-i", "-w", "%{num_connects}", Node.Url(
                "/alive"));
        Assert.Equal((0, 200, "kept0"), (both.ExitCode, both.Status, both.Text));
    }

    [Fact]
    public void A_pipelined_get_sees_the_put_before_it()
    {
        using HttpConnection connection = HttpConnection.Open(Node.HttpPort);
        StringBuilder requests = new();
        for (int i = 0; i < 50; i++)
        {
            requests.Append($"PUT /pipelined HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{i:00}");
            requests.Append("GET /pipelined HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        connection.SendRaw(Encoding.ASCII.GetBytes(requests.ToString()));
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(204, connection.Receive().Status);
            Assert.Equal($"{i:00}", connection.Receive().Text);
        }
    }

    [Fact]
    public void A_malformed_request_answers_400_and_ends_the_connection()
    {
        using HttpConnection connection = HttpConnection.Open(Node.HttpPort);
        connection.SendRaw("nonsense\r\n\r\n"u8);
        Assert.Equal(400, connection.Receive().Status);
        Assert.ThrowsAny<IOException>(() => connection.Receive());
    }

    private static void AssertAnswer(CurlResult answer, int status, string reason, string body)
    {
        Assert.Equal((0, status, reason, body), (answer.ExitCode, answer.Status, answer.Reason, answer.Text));
        Assert.Equal($"{body.Length}", answer.Header("Content-Length"));
        AssertPlainText(answer);
    }

    private static void AssertPlainText(CurlResult answer)
    {
        Assert.Equal("text/plain; charset=utf-8", answer.Header("Content-Type"));
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
    }

    private static void AssertAllows(CurlResult answer) =>
        Assert.Equal(["DELETE", "GET", "HEAD", "POST", "PUT"], answer.Elements("Allow").Order(StringComparer.Ordinal));

    /// <summary>Returns every byte value, in an order that doesn't repeat with the size of a buffer.</summary>
    private static byte[] Patterned(int length)
    {
        byte[] value = new byte[length];
        for (int i = 0; i < length; i++)
            value[i] = (byte)(i ^ (i >> 8) ^ (i >> 16) * 31);
        return value;
    }
}
