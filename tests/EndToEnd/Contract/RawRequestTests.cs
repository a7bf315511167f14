using System.Net.Sockets;
using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Contract;

/// <summary>Requests that curl does not send by itself, and clients that are slow.</summary>
public sealed class RawRequestTests(OneNode server) : IClassFixture<OneNode>
{
    private const string Host = "Host: localhost\r\n";

    private ClusterNode Node => server.Node;

    [Theory]
    [InlineData("PUT /part HTTP/1.1\r\nContent-Range: bytes 5-5/6\r\nContent-Length: 1\r\n", 400)]
    [InlineData("GET * HTTP/1.1\r\n", 400)]
    [InlineData("GET /a#b HTTP/1.1\r\n", 400)]
    [InlineData("PUT /coding HTTP/1.1\r\nTransfer-Encoding: gzip\r\n", 400)]
    [InlineData("PUT /coding HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", 501)]
    [InlineData("GET /absent HTTP/1.2\r\n", 404)]
    [InlineData("GET /absent HTTP/2.0\r\n", 505)]
    [InlineData("GET http://localhost/absent HTTP/1.1\r\n", 404)]
    [InlineData("GET http://elsewhere.example/absent HTTP/1.1\r\n", 421)]
    public void A_request_is_answered_as_the_RFCs_say(string head, int status)
    {
        using HttpConnection connection = HttpConnection.Open(Node.HttpPort);
        connection.SendRaw(Encoding.ASCII.GetBytes($"{head}{Host}\r\n"));
        Assert.Equal(status, connection.Receive().Status);
    }

    [Fact]
    public void A_target_in_absolute_form_is_the_key_of_its_path_and_query()
    {
        using HttpConnection connection = HttpConnection.Open(Node.HttpPort);
        connection.SendRaw(Encoding.ASCII.GetBytes(
            $"PUT http://localhost/proxied?a=b HTTP/1.1\r\n{Host}Content-Length: 5\r\n\r\nvalue"));
        Assert.Equal(204, connection.Receive().Status);
        Assert.Equal("value", connection.Exchange("GET", "/proxied?a=b").Text);
    }

    [Fact]
    public void A_value_has_its_type_and_may_not_be_taken_from_a_proxy_s_store()
    {
        Curl.Put(Node.Url("/text"), "héllo");
        CurlResult text = Curl.Get(Node.Url("/text"));
        Assert.Equal("text/plain; charset=utf-8", text.Header("Content-Type"));
        Assert.Equal("no-cache", text.Header("Cache-Control"));
        Assert.Equal(204, Node.TryExchange("PUT", "/bytes", [0xff, 0xfe])!.Status);
        Assert.Equal("application/octet-stream", Curl.Get(Node.Url("/bytes")).Header("Content-Type"));
        Assert.Equal("no-cache", Curl.Get(Node.Url("/absent")).Header("Cache-Control"));
    }

    [Fact]
    public void A_client_that_goes_on_sending_a_value_that_is_too_large_gets_its_answer()
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        socket.ReceiveTimeout = socket.SendTimeout = 20_000;
        socket.Connect("127.0.0.1", Node.HttpPort);
        socket.Send(Encoding.ASCII.GetBytes($"PUT /large HTTP/1.1\r\n{Host}Content-Length: 8000000\r\n\r\n"));
        byte[] piece = new byte[100_000];
        for (int sent = 0; sent < 8_000_000;)
            sent += socket.Send(piece);
        using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        Assert.StartsWith("HTTP/1.1 413", reader.ReadToEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_slow_and_steady_body_is_taken_and_one_below_the_least_rate_is_answered_408()
    {
        using Cluster cluster = Cluster.Start(1, "--client-rate-min", "200", "--client-rate-grace", "1");
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection steady = HttpConnection.Open(node.HttpPort);
        using HttpConnection slow = HttpConnection.Open(node.HttpPort);
        steady.SendRaw(Encoding.ASCII.GetBytes($"PUT /steady HTTP/1.1\r\n{Host}Content-Length: 6000\r\n\r\n"));
        slow.SendRaw(Encoding.ASCII.GetBytes($"PUT /slow HTTP/1.1\r\n{Host}Content-Length: 6000\r\n\r\n"));
        for (int i = 0; i < 10; i++)
        {
            Thread.Sleep(500);
            steady.SendRaw(new byte[600]);
            if (i < 3)
                slow.SendRaw(new byte[10]);
        }
        Assert.Equal(204, steady.Receive().Status);
        Assert.Equal(408, slow.Receive().Status);
    }
}
