using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Http;
using RaftFast.Server.CommandLine;
using RaftFast.Server.Hosting;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Node.Snapshots;

namespace RaftFast.Server.Tests.CommandLine;

public sealed class CommandLineTests
{
    private const string Flags =
        "--id, --cluster, --port, --join, --listen, --peer-listen, --api, --allowed-host, --data-dir, "
        + "--request-timeout, --connections-max, --client-memory-max, --client-rate-min, --client-rate-grace, "
        + "--state-max, --wait-max, --idempotency-window, --idempotency-memory, --watch-history, "
        + "--snapshot-every, --snapshot-rate, --log-level, --disk, --transport, --log-io, --help, --version";

    private const string Three = "http://127.0.0.1:9021,http://127.0.0.1:9022,http://127.0.0.1:9023";

    [Fact]
    public void No_flags_start_a_cluster_of_one_as_the_original_does()
    {
        ServerOptions options = Accepted();

        Assert.Equal(1UL, options.MemberId);
        Assert.Equal("http://127.0.0.1:9021", Assert.Single(options.Configuration.Members).Address.ToString());
        Assert.Equal(9121, options.Port);
        Assert.Equal(IPAddress.Loopback, options.Listen);
        Assert.Null(options.PeerListen);
        Assert.Equal(ApiSetting.Default, options.Api);
        Assert.Equal("raftfast-1", options.DataDirectory);
        Assert.Equal(TimeSpan.FromSeconds(5), options.RequestTimeout);
        Assert.Equal(LogLevel.Information, options.LogLevel);
        Assert.Equal(Storage.Disk.DiskWriteMode.Direct, options.Disk);
        Assert.Equal(new SnapshotOptions(), options.Snapshots);
    }

    [Fact]
    public void Every_flag_is_taken()
    {
        ServerOptions options = Accepted(
            "--id", "2", "--cluster", Three, "--port", "80", "--listen", "0.0.0.0", "--data-dir", "/var/lib/a b",
            "--request-timeout", "250", "--log-level", "debug", "--disk", "buffered", "--transport", "sockets",
            "--connections-max", "100", "--client-memory-max", "64MiB", "--client-rate-min", "1000",
            "--client-rate-grace", "3", "--state-max", "1GiB", "--log-io", "thread");

        Assert.Equal(2UL, options.MemberId);
        Assert.Equal(3, options.Configuration.Members.Count);
        Assert.Equal("http://127.0.0.1:9022", options.Configuration.Find(2)!.Address.ToString());
        Assert.Equal(80, options.Port);
        Assert.Equal(IPAddress.Any, options.Listen);
        Assert.Equal("/var/lib/a b", options.DataDirectory);
        Assert.Equal(TimeSpan.FromMilliseconds(250), options.RequestTimeout);
        Assert.Equal(LogLevel.Debug, options.LogLevel);
        Assert.Equal(Storage.Disk.DiskWriteMode.Buffered, options.Disk);
        Assert.Equal(RaftFast.Server.Sockets.TransportKind.Sockets, options.Transport);
        Assert.Equal(RaftFast.Server.Loop.LogIo.Thread, options.LogIo);
        HttpLimits clients = new()
        {
            ConnectionsMax = 100,
            MemoryMax = 64 << 20,
            RateMin = 1000,
            RateGrace = TimeSpan.FromSeconds(3),
        };
        Assert.Equal(clients, options.Clients);
        Assert.Equal(1L << 30, options.StateMax);
    }

    [Theory]
    [InlineData("127.0.0.1:10121", "127.0.0.1:10121")]
    [InlineData("[::1]:80", "[::1]:80")]
    [InlineData("0.0.0.0:0", "0.0.0.0:0")]
    public void Api_is_an_address_and_a_port(string value, string endPoint)
    {
        ApiSetting api = Accepted("--api", value).Api;

        Assert.True(api.IsOn);
        Assert.Equal(endPoint, api.EndPoint!.ToString());
    }

    [Fact]
    public void Api_may_be_off() => Assert.Equal(ApiSetting.Off, Accepted("--api", "off").Api);

    [Theory]
    [InlineData(100, 0, "100")]
    [InlineData(0, 512L << 20, "512MiB")]
    [InlineData(0, 1L << 10, "1KiB")]
    public void Snapshots_are_due_by_entries_or_by_size(long entries, long bytes, string every)
    {
        SnapshotOptions snapshots = Accepted("--snapshot-every", every, "--snapshot-rate", "1GiB").Snapshots;

        Assert.Equal(
            (entries, bytes, false, 1L << 30),
            (snapshots.EveryEntries, snapshots.EveryBytes, snapshots.WaitsForItsSize, snapshots.WriteBytesPerSecond));
    }

    [Theory]
    [InlineData("--id", "3", "--port", "12380")]
    [InlineData("--id=3", "--port=12380")]
    [InlineData("-id", "3", "-port", "12380")]
    [InlineData("-id=3", "-port=12380")]
    public void Flags_of_the_original_are_taken_in_each_form_that_Go_takes(params string[] flags)
    {
        ServerOptions options = Accepted([.. flags, "-cluster", Three]);

        Assert.Equal(3UL, options.MemberId);
        Assert.Equal(12380, options.Port);
        Assert.Equal("raftfast-3", options.DataDirectory);
    }

    [Fact]
    public void Join_may_be_denied() => Assert.False(Accepted("--join=false").Joins);

    [Theory]
    [InlineData("http://127.0.0.1:9022", "2", Three)]
    [InlineData("http://127.0.0.1:9023", "3", Three)]
    [InlineData("http://127.0.0.1:9023", "4", Three)]
    [InlineData("http://127.0.0.1:9024", "4", Three + ",http://127.0.0.1:9024")]
    [InlineData("http://127.0.0.1:9024", "4", "http://127.0.0.1:9024")]
    [InlineData("http://127.0.0.1:9024", "18446744073709551615", "http://127.0.0.1:9024")]
    public void Joining_node_has_the_url_at_the_place_of_its_id_or_the_last_of_fewer(
        string url, string id, string cluster)
    {
        ServerOptions options = Accepted("--join", "--id", id, "--cluster", cluster);

        Assert.True(options.Joins);
        Assert.Equal(ulong.Parse(id, CultureInfo.InvariantCulture), options.MemberId);
        Assert.Equal(url, options.Address.ToString());
        Assert.Equal($"raftfast-{id}", options.DataDirectory);
    }

    [Theory]
    [InlineData("--join")]
    [InlineData("-join")]
    [InlineData("-join=true")]
    public void Join_is_taken_in_each_form_that_Go_takes(string join) =>
        Assert.True(Accepted("-id=4", join, "-cluster", $"{Three},http://127.0.0.1:9024").Joins);

    [Fact]
    public void Own_url_is_the_one_in_the_place_of_the_id()
    {
        ServerOptions options = Accepted("--id", "3", "--cluster", Three);

        Assert.Equal("http://127.0.0.1:9023", options.Address.ToString());
        Assert.True(options.ClusterIsGiven);
        Assert.False(options.Joins);
        Assert.False(Accepted().ClusterIsGiven);
    }

    [Fact]
    public void Flag_given_twice_has_its_last_value() => Assert.Equal(7, Accepted("--port", "6", "--port", "7").Port);

    [Fact]
    public void Value_may_begin_with_an_at_sign() =>
        Assert.Equal("@data", Accepted("--data-dir", "@data").DataDirectory);

    [Theory]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("[::1]", "::1")]
    public void Listen_is_a_name_or_an_address(string listen, string address)
    {
        ServerOptions options = Accepted("--listen", listen, "--peer-listen", listen);

        Assert.Equal(IPAddress.Parse(address), options.Listen);
        Assert.Equal(IPAddress.Parse(address), options.PeerListen);
    }

    [Fact]
    public void Listen_star_is_every_address()
    {
        ServerOptions options = Accepted("--listen", "*", "--peer-listen", "*");

        Assert.True(options.Listen.Equals(IPAddress.IPv6Any) || options.Listen.Equals(IPAddress.Any));
        Assert.Equal(options.Listen, options.PeerListen);
    }

    [Theory]
    [InlineData("there is no flag --bogus; the flags are " + Flags, "--bogus", "3")]
    [InlineData("there is no flag -x; the flags are " + Flags, "-x")]
    [InlineData("there is no flag --bogus=1; the flags are " + Flags, "--id", "x", "--bogus=1")]
    [InlineData("there is no flag --bogus; the flags are " + Flags, "--version", "--bogus")]
    [InlineData("'three' belongs to no flag; a value follows its flag, as in --id 1", "three")]
    [InlineData("'true' belongs to no flag; a value follows its flag, as in --id 1", "--version=true", "true")]
    [InlineData("'@flags' belongs to no flag; a value follows its flag, as in --id 1", "@flags")]
    [InlineData("--id needs a value: --id N", "--id")]
    [InlineData("--id needs a value: --id N", "--id=")]
    [InlineData("--id needs a value: --id N", "--id", "--port", "9121")]
    [InlineData("--id needs a value: --id N", "--id", "1", "--id")]
    [InlineData("--cluster needs a value: --cluster URL,URL,...", "--cluster")]
    [InlineData("--port needs a value: --port N", "--port")]
    [InlineData("--listen needs a value: --listen ADDRESS", "--listen")]
    [InlineData("--peer-listen needs a value: --peer-listen ADDRESS", "--peer-listen")]
    [InlineData("--data-dir needs a value: --data-dir PATH", "--data-dir")]
    [InlineData("--request-timeout needs a value: --request-timeout MS", "--request-timeout")]
    [InlineData("--log-level needs a value: --log-level LEVEL", "--log-level")]
    [InlineData("--disk needs a value: --disk MODE", "--disk")]
    [InlineData("--api is '9999'; it must be ADDRESS:PORT, such as 127.0.0.1:10121, or off", "--api", "9999")]
    [InlineData(
        "--api has port 9121, which is also the port of --port; give the API another port", "--api", "127.0.0.1:9121")]
    [InlineData("--transport needs a value: --transport NAME", "--transport")]
    [InlineData("--log-io needs a value: --log-io NAME", "--log-io")]
    [InlineData("--id is '0'; it must be a whole number from 1", "--id", "0")]
    [InlineData("--id is '-1'; it must be a whole number from 1", "--id", "-1")]
    [InlineData("--id is 'one'; it must be a whole number from 1", "--id", "one", "--port", "x")]
    [InlineData("--id is '18446744073709551616'; it must be a whole number from 1", "--id", "18446744073709551616")]
    [InlineData("--id is 2, but --cluster names one member; give --id 1, or the URLs of all members", "--id", "2")]
    [InlineData(
        "--id is 18446744073709551615, but --cluster names 3 members; give the place of the node's own URL, 1 to 3",
        "--id", "18446744073709551615", "--cluster", Three)]
    [InlineData("--port is '65536'; it must be a port from 1 to 65535, or 0 for any free one", "--port", "65536")]
    [InlineData("--port is '9121 '; it must be a port from 1 to 65535, or 0 for any free one", "--port", "9121 ")]
    [InlineData("--port is ''; it must be a port from 1 to 65535, or 0 for any free one", "--port", "")]
    [InlineData(
        "--port is 9022, which is also the port of this node's URL http://127.0.0.1:9022; give clients another port",
        "--port", "9022", "--id", "2", "--cluster", Three)]
    [InlineData(
        "--cluster: 'http://A:1' is given twice; each member has a URL of its own",
        "--cluster", "http://a:1,http://b:1,http://A:1")]
    [InlineData("--cluster: '' is not a URL; a member's is like http://127.0.0.1:9021", "--cluster", "http://a:1,")]
    [InlineData(
        "--cluster: 'ftp://a:1' has the scheme ftp; a member's URL begins with http://",
        "--cluster", "ftp://a:1")]
    [InlineData("--cluster: '\\na' is not a URL; a member's is like http://127.0.0.1:9021", "--cluster", "\na")]
    [InlineData(
        "--listen is 'no such name', a name without an address; it must be an IP address, a name of this machine, or *",
        "--listen", "no such name")]
    [InlineData(
        "--peer-listen is 'no such name', a name without an address; "
        + "it must be an IP address, a name of this machine, or *",
        "--peer-listen", "no such name")]
    [InlineData("--data-dir is empty; it must be the path of a directory", "--data-dir", "")]
    [InlineData("--request-timeout is '0'; it must be milliseconds from 1 to 3600000", "--request-timeout", "0")]
    [InlineData("--connections-max is '0'; it must be a whole number from 1 to 1000000", "--connections-max", "0")]
    [InlineData(
        "--client-rate-min is '1kB'; it must be a whole number from 1 to 1000000000", "--client-rate-min", "1kB")]
    [InlineData("--client-rate-grace is '0'; it must be a whole number from 1 to 3600", "--client-rate-grace", "0")]
    [InlineData("--wait-max is '0'; it must be a whole number from 1 to 86400", "--wait-max", "0")]
    [InlineData(
        "--idempotency-window is 'x'; it must be a whole number from 1 to 2592000", "--idempotency-window", "x")]
    [InlineData(
        "--idempotency-memory is '1'; it must be a size from 16MiB, such as 512MiB", "--idempotency-memory", "1")]
    [InlineData(
        "--watch-history is '3MiB'; it must be a size from 4MiB to 1GiB, such as 64MiB", "--watch-history", "3MiB")]
    [InlineData(
        "--watch-history is '2GiB'; it must be a size from 4MiB to 1GiB, such as 64MiB", "--watch-history", "2GiB")]
    [InlineData("--state-max is '1MiB'; it must be a size from 16MiB, such as 512MiB", "--state-max", "1MiB")]
    [InlineData(
        "--client-memory-max is 'all'; it must be a size from 16MiB, such as 512MiB", "--client-memory-max", "all")]
    [InlineData("--request-timeout is '5s'; it must be milliseconds from 1 to 3600000", "--request-timeout", "5s")]
    [InlineData(
        "--request-timeout is '3600001'; it must be milliseconds from 1 to 3600000", "--request-timeout", "3600001")]
    [InlineData(
        "--snapshot-every is '0'; it must be a number of entries from 1, or a size such as 512MiB",
        "--snapshot-every", "0")]
    [InlineData(
        "--snapshot-every is '5MB'; it must be a number of entries from 1, or a size such as 512MiB",
        "--snapshot-every", "5MB")]
    [InlineData("--snapshot-rate is '100'; it must be a size for each second, from 1MiB", "--snapshot-rate", "100")]
    [InlineData(
        "--snapshot-rate is '1023KiB'; it must be a size for each second, from 1MiB", "--snapshot-rate", "1023KiB")]
    [InlineData("backup needs --output FILE", "backup", "--data-dir", "a")]
    [InlineData("restore needs --input FILE", "restore", "--data-dir", "a")]
    [InlineData("--input needs a value: --input FILE", "restore", "--input")]
    [InlineData("--bump needs a value: --bump N", "restore", "--bump")]
    [InlineData(
        "--bump is '4294967295'; it must be a whole number from 4294967296 to 72057594037927936",
        "restore", "--input", "a", "--bump", "4294967295")]
    [InlineData(
        "--bump is '72057594037927937'; it must be a whole number from 4294967296 to 72057594037927936",
        "restore", "--input", "a", "--bump", "72057594037927937")]
    [InlineData("--output is empty; it must be the path of a file", "backup", "--output", "")]
    [InlineData("there is no flag --id; the flags are --data-dir", "inspect", "--id", "1")]
    [InlineData(
        "--id is 2, but --cluster names one member; give --id 1, or the URLs of all members",
        "restore", "--input", "a", "--id", "2")]
    [InlineData("--log-level is 'Debug'; it must be debug, information, warning or error", "--log-level", "Debug")]
    [InlineData("--disk is 'nvme'; it must be direct or buffered", "--disk", "nvme")]
    [InlineData("--transport is 'udp'; it must be epoll or sockets", "--transport", "udp")]
    [InlineData("--log-io is 'aio'; it must be auto, thread or uring", "--log-io", "aio")]
    [InlineData(
        "--log-io is uring, which needs --transport epoll; give --log-io auto, or that transport",
        "--log-io", "uring", "--transport", "sockets")]
    [InlineData(
        "--join needs --cluster, with this node's own URL at the place of its --id, or as the last URL",
        "--join", "--id", "4")]
    [InlineData(
        "--id is 4, but --cluster names 3 members; give the place of the node's own URL, 1 to 3",
        "--id", "4", "--cluster", Three)]
    [InlineData(
        "--port is 9023, which is also the port of this node's URL http://127.0.0.1:9023; give clients another port",
        "--port", "9023", "--join", "--id", "4", "--cluster", Three)]
    public void Mistake_is_one_line_and_exit_code_2(string line, params string[] flags)
    {
        (ServerOptions? options, int exitCode, string output, string error) = Parse(flags);

        Assert.Equal($"raftfast: {line}\n", error);
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Null(options);
    }

    [Fact]
    public void Version_is_printed()
    {
        (ServerOptions? options, int exitCode, string output, string error) = Parse("--version");

        Version version = typeof(ServerCommandLine).Assembly.GetName().Version!;
        Assert.Equal($"raftfast {version.ToString(3)}\n", output);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Null(options);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--id", "x", "--help")]
    public void Help_names_every_flag(params string[] flags)
    {
        (ServerOptions? options, int exitCode, string output, string error) = Parse(flags);

        Assert.All(Flags.Split(", "), flag => Assert.Contains(flag + " ", output, StringComparison.Ordinal));
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Null(options);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("backup", "--help")]
    [InlineData("restore", "--help")]
    [InlineData("inspect", "--help")]
    public void Help_fits_100_columns_when_stdout_is_no_terminal(params string[] flags)
    {
        (_, int exitCode, string output, _) = Parse(flags);

        Assert.Equal(0, exitCode);
        Assert.DoesNotContain(output.Split('\n'), line => line.TrimEnd('\r').Length > 100);
    }

    private static ServerOptions Accepted(params string[] flags)
    {
        (ServerOptions? options, int exitCode, string output, string error) = Parse(flags);
        Assert.Equal((0, "", ""), (exitCode, output, error));
        Assert.NotNull(options);
        return options;
    }

    private static (ServerOptions? Options, int ExitCode, string Output, string Error) Parse(params string[] flags)
    {
        using StringWriter output = new(CultureInfo.InvariantCulture);
        using StringWriter error = new(CultureInfo.InvariantCulture);
        ServerOptions? options = ServerCommandLine.Parse(flags, output, error, out int exitCode);
        return (options, exitCode, output.ToString(), error.ToString());
    }
}
