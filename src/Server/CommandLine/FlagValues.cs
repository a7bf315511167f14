using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Hosting;
using RaftFast.Server.Loop;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Sockets;
using RaftFast.Server.Sockets.Epoll;
using RaftFast.Storage.Store;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// Parses the value of each flag by itself. A mistake is added to the argument's errors as one line that says what is
/// wrong and what would be right.
/// </summary>
internal static class FlagValues
{
    /// <summary>Maximum of --request-timeout: an hour, because no client waits longer.</summary>
    private const int RequestTimeoutMsMax = 3_600_000;

    private const long SizeMin = 16 << 20;

    /// <summary>Maximum of --watch-history: the history is one array.</summary>
    private const long WatchHistoryMax = 1 << 30;

    public static ulong Id(ArgumentResult argument)
    {
        string text = Text(argument);
        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong id) || id == 0)
            argument.AddError($"--id is '{text}'; it must be a whole number from 1");
        return id;
    }

    public static List<PeerAddress>? Cluster(ArgumentResult argument)
    {
        string text = Text(argument);
        List<PeerAddress> addresses = [];
        foreach (string url in text.Split(','))
        {
            PeerAddress? address = PeerAddress.TryParse(url, out string? error);
            if (addresses.Count == Quorum.VotersMax)
                error = $"there are more than {Quorum.VotersMax} URLs; give fewer, three or five serve best";
            else if (address is not null && addresses.Contains(address))
                error = $"'{url}' is given twice; each member has a URL of its own";
            if (error is not null)
            {
                argument.AddError($"--cluster: {error}");
                return null;
            }
            addresses.Add(address!);
        }
        return addresses;
    }

    public static int Port(ArgumentResult argument)
    {
        string text = Text(argument);
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            argument.AddError($"--port is '{text}'; it must be a port from 1 to 65535, or 0 for any free one");
        return port;
    }

    public static IPAddress? Listen(ArgumentResult argument) => Listen(argument, "--listen");

    public static IPAddress? PeerListen(ArgumentResult argument) => Listen(argument, "--peer-listen");

    public static ApiSetting? Api(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text == "off")
            return ApiSetting.Off;
        int colon = text.LastIndexOf(':');
        bool isPort = ushort.TryParse(
            text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port);
        if (colon <= 0 || !isPort)
        {
            argument.AddError($"--api is '{text}'; it must be ADDRESS:PORT, such as 127.0.0.1:10121, or off");
            return null;
        }
        string host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        IPAddress? address = Listen(host, argument, "--api");
        return address is null ? null : new ApiSetting(true, new IPEndPoint(address, port));
    }

    private static IPAddress? Listen(ArgumentResult argument, string flag) => Listen(Text(argument), argument, flag);

    private static IPAddress? Listen(string text, ArgumentResult argument, string flag)
    {
        if (text == "*")
            return Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        if (IPAddress.TryParse(text, out IPAddress? address))
            return address;
        if (HostName.Resolve(text) is [var first, ..])
            return first;
        argument.AddError(
            $"{flag} is '{text}', a name without an address; it must be an IP address, a name of this machine, or *");
        return null;
    }

    public static List<string>? AllowedHost(ArgumentResult argument)
    {
        string text = Text(argument);
        List<string> hosts = [.. text.Split(',')];
        foreach (string host in hosts)
        {
            if (Uri.CheckHostName(host) != UriHostNameType.Unknown)
                continue;
            argument.AddError($"--allowed-host has '{host}'; it must be host names without ports, separated by commas");
            return null;
        }
        return hosts;
    }

    public static string DataDirectory(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text.Length == 0)
            argument.AddError("--data-dir is empty; it must be the path of a directory");
        return text;
    }

    public static int RequestTimeout(ArgumentResult argument)
    {
        string text = Text(argument);
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int milliseconds);
        if (!isNumber || milliseconds is 0 or > RequestTimeoutMsMax)
        {
            argument.AddError(
                $"--request-timeout is '{text}'; it must be milliseconds from 1 to {RequestTimeoutMsMax}");
        }
        return milliseconds;
    }

    public static int ConnectionsMax(ArgumentResult argument) => Number(argument, "--connections-max", 1, 1_000_000);

    public static int ClientRateMin(ArgumentResult argument) =>
        Number(argument, "--client-rate-min", 1, 1_000_000_000);

    public static int ClientRateGrace(ArgumentResult argument) => Number(argument, "--client-rate-grace", 1, 3600);

    public static int WaitMax(ArgumentResult argument) => Number(argument, "--wait-max", 1, 86_400);

    public static int IdempotencyWindow(ArgumentResult argument) =>
        Number(argument, "--idempotency-window", 1, 30 * 86_400);

    /// <summary>Parses a size that has room for the largest value a few times.</summary>
    public static long Size(ArgumentResult argument, string flag)
    {
        string text = Text(argument);
        if (!ByteSize.TryParse(text, out long bytes) || bytes < SizeMin)
            argument.AddError($"{flag} is '{text}'; it must be a size from 16MiB, such as 512MiB");
        return bytes;
    }

    public static int WatchHistory(ArgumentResult argument)
    {
        string text = Text(argument);
        if (!ByteSize.TryParse(text, out long bytes) || bytes < ChangeHistory.BytesMin || bytes > WatchHistoryMax)
            argument.AddError($"--watch-history is '{text}'; it must be a size from 4MiB to 1GiB, such as 64MiB");
        return (int)bytes;
    }

    public static SnapshotOptions? SnapshotEvery(ArgumentResult argument)
    {
        string text = Text(argument);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long entries) && entries > 0)
            return new SnapshotOptions { EveryEntries = entries, EveryBytes = 0, WaitsForItsSize = false };
        if (ByteSize.TryParse(text, out long bytes) && bytes > 0)
            return new SnapshotOptions { EveryBytes = bytes, WaitsForItsSize = false };
        argument.AddError(
            $"--snapshot-every is '{text}'; it must be a number of entries from 1, or a size such as 512MiB");
        return null;
    }

    public static SnapshotOptions? SnapshotRate(ArgumentResult argument)
    {
        string text = Text(argument);
        if (ByteSize.TryParse(text, out long bytes) && bytes >= ByteSize.Mebibyte)
            return new SnapshotOptions { WriteBytesPerSecond = bytes };
        argument.AddError($"--snapshot-rate is '{text}'; it must be a size for each second, from 1MiB");
        return null;
    }

    public static long Bump(ArgumentResult argument)
    {
        string text = Text(argument);
        bool isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long bump);
        if (!isNumber || bump is < RestoreCommand.BumpMin or > RestoreCommand.BumpMax)
        {
            argument.AddError(
                $"--bump is '{text}'; "
                + $"it must be a whole number from {RestoreCommand.BumpMin} to {RestoreCommand.BumpMax}");
        }
        return bump;
    }

    public static string LogLevel(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text is not ("debug" or "information" or "warning" or "error"))
            argument.AddError($"--log-level is '{text}'; it must be debug, information, warning or error");
        return text;
    }

    public static string Disk(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text is not ("direct" or "buffered"))
            argument.AddError($"--disk is '{text}'; it must be direct or buffered");
        return text;
    }

    public static TransportKind Transport(ArgumentResult argument)
    {
        string text = Text(argument);
        bool isEpoll = text == "epoll";
        if (!isEpoll && text != "sockets")
            argument.AddError($"--transport is '{text}'; it must be epoll or sockets");
        if (isEpoll && !EpollTransport.IsSupported)
            argument.AddError("--transport is 'epoll', which only Linux has, on x64 and arm64; give sockets");
        return isEpoll ? TransportKind.Epoll : TransportKind.Sockets;
    }

    public static LogIo LogIo(ArgumentResult argument)
    {
        string text = Text(argument);
        switch (text)
        {
            case "auto":
                return Loop.LogIo.Auto;
            case "thread":
                return Loop.LogIo.Thread;
            case "uring":
                return Loop.LogIo.Uring;
            default:
                argument.AddError($"--log-io is '{text}'; it must be auto, thread or uring");
                return Loop.LogIo.Auto;
        }
    }

    /// <summary>The last value given; empty if there is none, which <see cref="ServerCommandLine"/> reports.</summary>
    private static string Text(ArgumentResult argument) => argument.Tokens.Count == 0 ? "" : argument.Tokens[^1].Value;

    private static int Number(ArgumentResult argument, string flag, int min, int max)
    {
        string text = Text(argument);
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        if (!isNumber || number < min || number > max)
            argument.AddError($"{flag} is '{text}'; it must be a whole number from {min} to {max}");
        return number;
    }
}
