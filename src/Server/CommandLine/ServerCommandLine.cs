using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Hosting;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Logging;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Sockets;
using RaftFast.Server.Sockets.Epoll;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Store;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// The flags and commands. <c>--id</c>, <c>--cluster</c>, <c>--port</c> and <c>--join</c> may also have one dash, as in
/// Go programs. A flag given twice has its last value.
/// </summary>
internal static class ServerCommandLine
{
    /// <summary>Columns of the help text. A narrower terminal gets a narrower text.</summary>
    private const int HelpColumnsMax = 100;

    private static readonly Option<ulong> Id = Flag(
        "--id", "N", "This node's number: the place of its own URL in --cluster.", _ => 1UL, FlagValues.Id);

    private static readonly Option<List<PeerAddress>> Cluster = Flag(
        "--cluster", "URL,URL,...",
        "URLs of all members for the connections between them, the same list on every member: the N-th is member N's. "
        + "After the first start the data directory knows the other members, and only this node's own URL is used.",
        _ => [new PeerAddress("127.0.0.1", 9021)], FlagValues.Cluster);

    private static readonly Option<int> Port = Flag(
        "--port", "N", "Port for HTTP clients; 0 takes any free port.", _ => 9121, FlagValues.Port);

    private static readonly Option<bool> Join = new("--join")
    {
        Description =
            "Join a running cluster, before or after POST /<id> at one of its members. "
            + "Used only while the data directory is empty.",
    };

    private static readonly Option<IPAddress> Listen = Flag(
        "--listen", "ADDRESS",
        "Address for HTTP clients: an IP address, a name of this machine, or * for all addresses.",
        _ => IPAddress.Loopback, FlagValues.Listen);

    private static readonly Option<IPAddress> PeerListen = Flag(
        "--peer-listen", "ADDRESS",
        "Address for the other members, if the host of this node's own URL is no address of this machine, as with "
        + "NAT or in a container; as for --listen. [default: the host of this node's URL]",
        null, FlagValues.PeerListen);

    private static readonly Option<ApiSetting> Api = Flag(
        "--api", "ADDRESS:PORT",
        "Address for operators and tools: status page, metrics, health; off for none. "
        + "[default: 127.0.0.1, at the port of --port + 1000]",
        null, FlagValues.Api);

    private static readonly Option<List<string>> AllowedHost = Flag(
        "--allowed-host", "NAME,NAME,...",
        "More host names under which clients may reach this node, for example through a tunnel or a proxy. "
        + "[default: localhost, this machine's name and the hosts of --cluster; any name, if --listen is not loopback]",
        null, FlagValues.AllowedHost);

    private static readonly Option<string> DataDirectory = new("--data-dir")
    {
        HelpName = "PATH",
        Description = "Directory of the node's log and snapshots. [default: raftfast-<id>]",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = FlagValues.DataDirectory,
    };

    private static readonly Option<int> RequestTimeout = Flag(
        "--request-timeout", "MS", "Milliseconds until a request without an outcome is answered 503 or 504.",
        _ => 5000, FlagValues.RequestTimeout);

    private static readonly Option<int> ConnectionsMax = Flag(
        "--connections-max", "N",
        "Maximum connections of clients. A further connection closes an idle one, or is answered 503.",
        _ => new HttpLimits().ConnectionsMax, FlagValues.ConnectionsMax);

    private static readonly Option<long> ClientMemoryMax = Flag(
        "--client-memory-max", "SIZE", "Maximum memory for requests and answers of all clients. [default: 256MiB]",
        _ => new HttpLimits().MemoryMax, argument => FlagValues.Size(argument, "--client-memory-max"));

    private static readonly Option<int> ClientRateMin = Flag(
        "--client-rate-min", "N",
        "Least average rate, in bytes a second, at which a client sends a value or takes an answer.",
        _ => new HttpLimits().RateMin, FlagValues.ClientRateMin);

    private static readonly Option<int> ClientRateGrace = Flag(
        "--client-rate-grace", "SECONDS", "Seconds for which a client may be slower than --client-rate-min.",
        _ => (int)new HttpLimits().RateGrace.TotalSeconds, FlagValues.ClientRateGrace);

    private static readonly Option<int> WaitMax = Flag(
        "--wait-max", "SECONDS", "Maximum time for which a GET waits for a change of its key (Prefer: wait).",
        _ => new HttpLimits().WaitMax, FlagValues.WaitMax);

    private static readonly Option<int> IdempotencyWindow = Flag(
        "--idempotency-window", "SECONDS",
        "Minimum time for which the outcome of a request with an Idempotency-Key is remembered.",
        _ => (int)(new IdempotencyOptions().Window / 1000), FlagValues.IdempotencyWindow);

    private static readonly Option<long> IdempotencyMemory = Flag(
        "--idempotency-memory", "SIZE",
        "Memory of remembered outcomes beyond which a new Idempotency-Key is answered 503. [default: 64MiB]",
        _ => new IdempotencyOptions().MemoryMax, argument => FlagValues.Size(argument, "--idempotency-memory"));

    private static readonly Option<int> WatchHistory = Flag(
        "--watch-history", "SIZE",
        "Memory for the latest changes, from which watches of the API are served. [default: 64MiB]",
        _ => ChangeHistory.BytesDefault, FlagValues.WatchHistory);

    private static readonly Option<long> StateMax = Flag(
        "--state-max", "SIZE",
        "Memory of keys and values beyond which the leader answers 507 to a write that needs more. "
        + "[default: 60 % of the memory that the process may use]",
        _ => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 10 * 6,
        argument => FlagValues.Size(argument, "--state-max"));

    private static readonly Option<SnapshotOptions> SnapshotEvery = Flag(
        "--snapshot-every", "N|SIZE",
        "Growth of the log after which a new snapshot is taken: N entries, or a SIZE such as 512MiB. "
        + "[default: 256MiB, or the size of the last snapshot if that is more]",
        null, FlagValues.SnapshotEvery);

    private static readonly Option<SnapshotOptions> SnapshotRate = Flag(
        "--snapshot-rate", "SIZE",
        "Maximum bytes of a snapshot written and sent in a second, so that writes to the log keep their latency. "
        + "[default: 64MiB]",
        null, FlagValues.SnapshotRate);

    private static readonly Option<string> Level = Flag(
        "--log-level", "LEVEL", "Least level of the log lines on stderr: debug, information, warning or error.",
        _ => "information", FlagValues.LogLevel);

    private static readonly Option<string> Disk = Flag(
        "--disk", "MODE", "Way to write the log: direct, which bypasses the page cache, or buffered.",
        _ => "direct", FlagValues.Disk);

    private static readonly Option<TransportKind> Transport = Flag(
        "--transport", "NAME",
        "Code that serves the sockets: epoll, this program's own, for Linux, or sockets, .NET's.",
        _ => EpollTransport.IsSupported ? TransportKind.Epoll : TransportKind.Sockets, FlagValues.Transport);

    private static readonly Option<LogIo> LogWrites = Flag(
        "--log-io", "NAME",
        "Way of the log to the disk: thread, which waits for each write, uring, which submits to io_uring from the "
        + "sockets' thread (--transport epoll, Linux 6.1), or auto: uring if a first write that way succeeds.",
        _ => LogIo.Auto, FlagValues.LogIo);

    private static readonly Option<bool> Version = new("--version") { Description = "Print the version." };

    private static readonly Command Server = new("raftfast", "A replicated key-value server, driven over HTTP.")
    {
        Id, Cluster, Port, Join, Listen, PeerListen, Api, AllowedHost, DataDirectory, RequestTimeout,
        ConnectionsMax, ClientMemoryMax, ClientRateMin, ClientRateGrace, StateMax, WaitMax, IdempotencyWindow,
        IdempotencyMemory, WatchHistory,
        SnapshotEvery, SnapshotRate, Level, Disk, Transport, LogWrites,
        new HelpOption("--help", "-h"), Version,
        BackupCommand.Create(DataDirectory),
        RestoreCommand.Create(Id, Cluster, DataDirectory),
        InspectCommand.Create(DataDirectory),
    };

    /// <summary>
    /// Parses the flags, and runs the command if they name one. A mistake becomes one line on <paramref name="error"/>.
    /// </summary>
    /// <returns>Null if the process has nothing more to do: after help, a command, or a mistake.</returns>
    /// <exception cref="StorageException">A command failed.</exception>
    public static ServerOptions? Parse(string[] args, TextWriter output, TextWriter error, out int exitCode)
    {
        // Without an action the parser demands a command.
        Server.SetAction(_ => ExitCode.Success);
        // No response files, because a value may begin with @.
        ParserConfiguration configuration = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
        ParseResult flags = Server.Parse(WithTwoDashes(args), configuration);
        exitCode = ExitCode.Success;
        if (flags.Action is HelpAction help)
        {
            help.MaxWidth = Math.Min(help.MaxWidth, HelpColumnsMax);
            exitCode = flags.Invoke(new() { Output = output, Error = error });
            return null;
        }
        ServerOptions? options = null;
        string? mistake = Mistake(flags);
        if (mistake is null && flags.GetValue(Version))
        {
            output.WriteLine($"raftfast {ProgramVersion.Text}");
            return null;
        }
        if (mistake is null && flags.CommandResult.Command != Server)
        {
            exitCode = flags.Invoke(new() { Output = output, Error = error, EnableDefaultExceptionHandler = false });
            return null;
        }
        mistake ??= Combine(flags, out options);
        if (mistake is not null)
        {
            error.WriteLine($"raftfast: {LogLine.Escape(mistake)}");
            exitCode = ExitCode.Usage;
        }
        return options;
    }

    private static string[] WithTwoDashes(string[] args)
    {
        string[] flags = [.. args];
        foreach (ref string flag in flags.AsSpan())
        {
            if (flag.Split('=')[0] is "-id" or "-cluster" or "-port" or "-join")
                flag = "-" + flag;
        }
        return flags;
    }

    /// <summary>Returns the first mistake in a flag by itself, or null.</summary>
    private static string? Mistake(ParseResult flags)
    {
        Command command = flags.CommandResult.Command;
        if (flags.UnmatchedTokens.Count > 0)
        {
            string token = flags.UnmatchedTokens[0];
            return token.StartsWith('-')
                ? $"there is no flag {token}; the flags are {string.Join(", ", FlagNames(command))}"
                : $"'{token}' belongs to no flag; a value follows its flag, as in --id 1";
        }
        foreach (Option option in command.Options)
        {
            bool hasValue = option.Arity.MaximumNumberOfValues > 1;
            if (hasValue && flags.GetResult(option) is { } given && given.IdentifierTokenCount > given.Tokens.Count)
                return $"{option.Name} needs a value: {option.Name} {option.HelpName}";
        }
        return flags.Errors.Count > 0 ? flags.Errors[0].Message : null;
    }

    private static List<string> FlagNames(Command command)
    {
        List<string> names = [];
        foreach (Option option in command.Options)
            names.Add(option.Name);
        return names;
    }

    /// <summary>Combines the flags into options.</summary>
    /// <returns>The first mistake between two flags, or null.</returns>
    private static string? Combine(ParseResult flags, out ServerOptions? options)
    {
        options = null;
        ulong id = flags.GetValue(Id);
        bool joins = flags.GetValue(Join);
        bool clusterIsGiven = flags.GetResult(Cluster) is { Implicit: false };
        List<PeerAddress> addresses = flags.GetValue(Cluster)!;
        if (joins && !clusterIsGiven)
            return "--join needs --cluster, with this node's own URL at the place of its --id, or as the last URL";
        if (!joins && IdMistake(id, addresses) is { } mistake)
            return mistake;
        int port = flags.GetValue(Port);
        PeerAddress own = id <= (ulong)addresses.Count ? addresses[(int)id - 1] : addresses[^1];
        if (port == own.Port)
            return $"--port is {port}, which is also the port of this node's URL {own}; give clients another port";
        ApiSetting api = flags.GetValue(Api) ?? ApiSetting.Default;
        if (api.EndPoint is { Port: not 0 } given && (given.Port == port || given.Port == own.Port))
        {
            return $"--api has port {given.Port}, which is also the port of "
                + (given.Port == port ? "--port" : $"this node's URL {own}") + "; give the API another port";
        }
        if (flags.GetValue(LogWrites) == LogIo.Uring && flags.GetValue(Transport) != TransportKind.Epoll)
            return "--log-io is uring, which needs --transport epoll; give --log-io auto, or that transport";
        options = new ServerOptions
        {
            MemberId = id,
            Joins = joins,
            Configuration = ClusterConfiguration.Bootstrap(addresses),
            ClusterIsGiven = clusterIsGiven,
            Address = own,
            Listen = flags.GetValue(Listen)!,
            PeerListen = flags.GetValue(PeerListen),
            AllowedHosts = flags.GetValue(AllowedHost),
            Port = port,
            Api = api,
            DataDirectory = flags.GetValue(DataDirectory) ?? $"raftfast-{id}",
            RequestTimeout = TimeSpan.FromMilliseconds(flags.GetValue(RequestTimeout)),
            Clients = new HttpLimits
            {
                ConnectionsMax = flags.GetValue(ConnectionsMax),
                MemoryMax = flags.GetValue(ClientMemoryMax),
                RateMin = flags.GetValue(ClientRateMin),
                RateGrace = TimeSpan.FromSeconds(flags.GetValue(ClientRateGrace)),
                WaitMax = flags.GetValue(WaitMax),
            },
            Idempotency = new IdempotencyOptions
            {
                Window = flags.GetValue(IdempotencyWindow) * 1000L,
                MemoryMax = flags.GetValue(IdempotencyMemory),
            },
            StateMax = flags.GetValue(StateMax),
            WatchHistory = flags.GetValue(WatchHistory),
            Snapshots = (flags.GetValue(SnapshotEvery) ?? new()) with
            {
                WriteBytesPerSecond = (flags.GetValue(SnapshotRate) ?? new()).WriteBytesPerSecond,
            },
            LogLevel = Enum.Parse<LogLevel>(flags.GetValue(Level)!, ignoreCase: true),
            Disk = flags.GetValue(Disk) == "direct" ? DiskWriteMode.Direct : DiskWriteMode.Buffered,
            Transport = flags.GetValue(Transport),
            LogIo = flags.GetValue(LogWrites),
        };
        return null;
    }

    /// <summary>Returns the mistake if --cluster has no URL for the id, else null.</summary>
    internal static string? IdMistake(ulong id, List<PeerAddress> addresses)
    {
        if (id <= (ulong)addresses.Count)
            return null;
        return addresses.Count == 1
            ? $"--id is {id}, but --cluster names one member; give --id 1, or the URLs of all members"
            : $"--id is {id}, but --cluster names {addresses.Count} members; give the place of the node's own URL, "
                + $"1 to {addresses.Count}";
    }

    private static Option<T> Flag<T>(
        string name, string valueName, string description,
        Func<ArgumentResult, T>? defaultValue, Func<ArgumentResult, T?> parse) =>
        new(name)
        {
            HelpName = valueName,
            Description = description,
            DefaultValueFactory = defaultValue,
            Arity = ArgumentArity.ZeroOrMore,
            CustomParser = parse,
        };
}
