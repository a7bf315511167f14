namespace RaftFast.Protocol.Tests;

public sealed class PeerAddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:9021", "127.0.0.1", 9021, "http://127.0.0.1:9021")]
    [InlineData("http://127.0.0.1:9021/", "127.0.0.1", 9021, "http://127.0.0.1:9021")]
    [InlineData("HTTP://Node-1.Example:1", "node-1.example", 1, "http://node-1.example:1")]
    [InlineData("http://node", "node", 80, "http://node:80")]
    [InlineData("http://[::1]:65535", "::1", 65535, "http://[::1]:65535")]
    public void Members_url_is_a_host_and_a_port(string url, string host, int port, string text)
    {
        PeerAddress? address = PeerAddress.TryParse(url, out string? error);
        Assert.Null(error);
        Assert.Equal(new PeerAddress(host, port), address);
        Assert.Equal(text, address!.ToString());
        Assert.Equal(address, PeerAddress.TryParse(address.ToString(), out _));
    }

    [Theory]
    [InlineData("", "is not a URL")]
    [InlineData("127.0.0.1:9021", "not a URL")]
    [InlineData("node:9021", "is not a URL")]
    [InlineData("http://", "is not a URL")]
    [InlineData("http://node:65536", "is not a URL")]
    [InlineData("http://node:0", "no usable port")]
    [InlineData("https://node:1", "TLS")]
    [InlineData("ftp://node:1", "scheme ftp")]
    [InlineData("http://node:1/path", "more than a host and a port")]
    [InlineData("http://node:1/?q", "more than a host and a port")]
    [InlineData("http://node:1/#f", "more than a host and a port")]
    [InlineData("http://xn--a-ü:9", "invalid in DNS")]
    [InlineData("http://0.0.0.0:9021", "names no machine")]
    [InlineData("http://[::]:9021", "names no machine")]
    [InlineData("http://me@node:1", "more than a host and a port")]
    public void Anything_else_is_an_error_that_quotes_it_and_says_what_is_wrong(string url, string wrong)
    {
        Assert.Null(PeerAddress.TryParse(url, out string? error));
        Assert.Contains($"'{url}'", error, StringComparison.Ordinal);
        Assert.Contains(wrong, error, StringComparison.Ordinal);
        Assert.Contains("http", error, StringComparison.Ordinal);
    }
}
