using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Tests.Sockets;

public sealed class PeerEndPointTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.2", "127.0.0.2")]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    public void Address_of_this_machine_is_listened_on(string host, string address)
    {
        (IPEndPoint endPoint, string log) = Of(host);

        Assert.Equal(new IPEndPoint(IPAddress.Parse(address), 9021), endPoint);
        Assert.Empty(log);
    }

    [Theory]
    [InlineData("192.0.2.1")] // RFC 5737: the address of no machine.
    [InlineData("no-such-host.invalid")]
    [InlineData("ip6-loopback")] // Some machines know this name; other members may give it another address.
    public void Address_of_no_or_another_machine_means_every_address_and_a_log_line(string host)
    {
        (IPEndPoint endPoint, string log) = Of(host);

        Assert.True(endPoint.Address.Equals(IPAddress.IPv6Any) || endPoint.Address.Equals(IPAddress.Any));
        Assert.Equal(9021, endPoint.Port);
        Assert.EndsWith(
            $"info node: http://{host}:9021 does not name one address of this machine: "
            + "listening for peers on all addresses\n",
            log, StringComparison.Ordinal);
    }

    private static (IPEndPoint EndPoint, string Log) Of(string host)
    {
        using MemoryStream output = new();
        LineWriter lines = new(output);
        using LogFactory loggers = new(lines, LogLevel.Information);
        IPEndPoint endPoint = PeerEndPoint.Of(new PeerAddress(host, 9021), loggers.CreateLogger("node"));
        Assert.True(lines.Drain(TimeSpan.FromSeconds(10)));
        return (endPoint, Encoding.UTF8.GetString(output.ToArray()));
    }
}
