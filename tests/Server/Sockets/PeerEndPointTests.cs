using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Sockets;
using RaftFast.Server.Tests.Peers;

namespace RaftFast.Server.Tests.Sockets;

public sealed class PeerEndPointTests
{
    /// <summary>RFC 5737: the address of no machine.</summary>
    private const string Foreign = "192.0.2.1";

    private static readonly CancellationToken Never = TestContext.Current.CancellationToken;

    private readonly HandSetTime time = new();
    private readonly RecordedLog log = new();

    /// <summary>Addresses of each name; a name that is not here does not resolve.</summary>
    private readonly Dictionary<string, string[]> names = new()
    {
        ["localhost"] = ["127.0.0.1", "::1"],
        ["this"] = ["127.0.1.1"],
        ["that"] = [Foreign],
        ["loop"] = ["127.0.0.1"],
        ["blocked"] = ["0.0.0.0"],
        ["mixed"] = ["127.0.1.1", Foreign],
    };

    private int lookUps;

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.2", "127.0.0.2")]
    [InlineData("localhost", "127.0.0.1")]
    public async Task Address_of_this_machine_is_listened_on(string host, string address)
    {
        Assert.Equal(new IPEndPoint(IPAddress.Parse(address), 9021), await FindAsync(host, ["that", host]));
        Assert.Empty(log.Lines);
    }

    [Fact]
    public async Task Address_of_this_machine_is_found_among_those_of_a_name()
    {
        IPAddress? local = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .Where(address => address.AddressFamily == AddressFamily.InterNetwork)
            .FirstOrDefault(address => !IPAddress.IsLoopback(address));
        Assert.SkipWhen(local is null, "this machine has no address but loopback");
        names["two"] = ["127.0.1.1", Foreign, local.ToString()];

        Assert.Equal(new IPEndPoint(local, 9021), await FindAsync("two", ["that", "two"]));
    }

    [Theory]
    [InlineData(Foreign, Foreign)]
    [InlineData("that", Foreign)]
    [InlineData("mixed", Foreign)]
    [InlineData("blocked", "0.0.0.0")]
    public async Task Address_of_another_machine_is_refused(string host, string address)
    {
        ListenException refusal = await Assert.ThrowsAsync<ListenException>(() => FindAsync(host, [host]));

        Assert.Equal(
            $"can't listen for the other members at http://{host}:9021: this machine doesn't have the address "
            + $"{address}; if another machine forwards to this one, give the address to listen on, or * for all, "
            + "with --peer-listen",
            refusal.Message);
    }

    [Theory]
    [InlineData("that")]
    [InlineData(Foreign)]
    [InlineData("unknown")]
    public async Task Name_for_loopback_is_refused_while_another_member_is_elsewhere(string other)
    {
        ListenException refusal = await Assert.ThrowsAsync<ListenException>(() => FindAsync("this", ["this", other]));

        Assert.Equal(
            "can't listen for the other members at http://this:9021: on this machine this is 127.0.1.1, where the "
            + "others could not reach it; give the address to listen on, or * for all, with --peer-listen",
            refusal.Message);
    }

    [Fact]
    public async Task Name_for_loopback_is_refused_while_no_other_member_is_known() =>
        await Assert.ThrowsAsync<ListenException>(() => FindAsync("this", []));

    [Fact]
    public async Task Name_for_loopback_is_listened_on_if_all_members_are_on_loopback() => Assert.Equal(
        new IPEndPoint(IPAddress.Parse("127.0.1.1"), 9021),
        await FindAsync("this", ["this", "loop", "127.0.0.1", "::1", "localhost"]));

    [Theory]
    [InlineData(Foreign)]
    [InlineData("that")]
    [InlineData("this")]
    [InlineData("unknown")]
    public async Task Address_that_was_given_is_listened_on_and_no_name_is_looked_up(string host)
    {
        IPEndPoint? found = await FindAsync(host, ["that", host], given: IPAddress.Parse("127.0.0.3"));

        Assert.Equal(new IPEndPoint(IPAddress.Parse("127.0.0.3"), 9021), found);
        Assert.Equal(0, lookUps);
    }

    [Fact]
    public async Task Name_is_looked_up_until_it_resolves_and_a_line_tells_once_in_30_s()
    {
        Task<IPEndPoint?> found = FindAsync("unknown", ["unknown"]);
        for (int told = 1; told <= 3; told++)
        {
            Eventually.True(() => log.Lines.Length == told);
            LookUpTwice();
            Assert.Equal(told, log.Lines.Length);
            time.Now += TimeSpan.FromSeconds(30);
        }
        lock (names)
            names["unknown"] = ["127.0.0.5"];

        await Eventually.EndsAsync(found);
        Assert.Equal("127.0.0.5:9021", (await found)?.ToString());
        Assert.All(log.Lines, line => Assert.Equal(
            "unknown has no address yet: waiting for one, to listen for the other members at http://unknown:9021; "
            + "to listen without one, give --peer-listen",
            line));

        void LookUpTwice()
        {
            int before = Volatile.Read(ref lookUps);
            Eventually.True(() => Volatile.Read(ref lookUps) >= before + 2);
        }
    }

    [Fact]
    public async Task Wait_for_a_name_ends_with_the_process()
    {
        using CancellationTokenSource stop = new();
        Task<IPEndPoint?> found = FindAsync("unknown", ["unknown"], stop: stop.Token);
        Eventually.True(() => log.Lines.Length == 1);
        Assert.False(found.IsCompleted);

        await stop.CancelAsync();

        await Eventually.EndsAsync(found);
        Assert.Null(await found);
    }

    [Fact]
    public async Task Look_up_that_hangs_does_not_hold_up_the_end()
    {
        using ManualResetEventSlim answer = new();
        using CancellationTokenSource stop = new();
        PeerEndPoint endPoint = new(
            host =>
            {
                answer.Wait();
                return [];
            },
            given: null, time, log);
        Task<IPEndPoint?> found = endPoint.FindAsync(new PeerAddress("slow", 9021), ["slow"], stop.Token);

        await stop.CancelAsync();

        await Eventually.EndsAsync(found);
        Assert.Null(await found);
        answer.Set();
    }

    [Fact]
    public void Name_that_does_not_resolve_has_no_addresses() =>
        Assert.Empty(HostName.Resolve("no-such-host.invalid"));

    private Task<IPEndPoint?> FindAsync(
        string host, string[] hosts, IPAddress? given = null, CancellationToken? stop = null)
    {
        PeerEndPoint endPoint = new(Resolve, given, time, log) { RetryPause = TimeSpan.FromMilliseconds(1) };
        return endPoint.FindAsync(new PeerAddress(host, 9021), hosts, stop ?? Never);
    }

    private IPAddress[] Resolve(string host)
    {
        Interlocked.Increment(ref lookUps);
        lock (names)
            return names.TryGetValue(host, out string[]? addresses) ? [.. addresses.Select(IPAddress.Parse)] : [];
    }
}
