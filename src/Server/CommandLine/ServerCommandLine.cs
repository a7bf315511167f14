using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Hosting;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Logging;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Sockets;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// The flags. <c>--id</c>, <c>--cluster</c>, <c>--port</c> and <c>--join</c> are also taken with one dash, as Go programs
/// take them. A flag given twice has its last value.
/// </summary>
internal static class ServerCommandLine
{
    /// <summary>An hour: a client that would wait longer has gone.</summary>
    private const int RequestTimeoutMsMax = 3_600_000;

    private static readonly Option<ulong> Id = Flag(
        "--id", "N", "This member's number: the place of its own URL in --cluster.", _ => 1UL, ParseId);

    private static readonly Option<List<PeerAddress>> Cluster = Flag(
        "--cluster", "URL,URL,...",
        "The members' peer addresses, the same list in the same order on every member; the N-th is member N's. Later the data directory knows better, but for this member's own URL.",
        _ => [new PeerAddress("127.0.0.1", 9021)], ParseCluster);

    private static readonly Option<int> Port = Flag(
        "--port", "N", "Port for HTTP clients; 0 takes any free one.", _ => 9121, ParsePort);

    private static readonly Option<bool> Join = new("--join")
    {
        Description = "Join a cluster that runs already, after or before POST /<id> to one of its members; matters only while the data directory is empty.",
    };

    private static readonly Option<IPAddress> Listen = Flag(
        "--listen", "ADDRESS", "Address for HTTP clients: an IP address, a name of this machine, or * for all.",
        _ => IPAddress.Loopback, ParseListen);

    private static readonly Option<string> DataDirectory = new("--data-dir")
    {
        HelpName = "PATH",
        Description = "The member's directory, with its log and snapshots. [default: raftfast-<id>]",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = ParseDataDirectory,
    };

    private static readonly Option<int> RequestTimeout = Flag(
        "--request-timeout", "MS", "Milliseconds after which a request is answered 503 or 504.", _ => 5000, ParseRequestTimeout);

    private static readonly Option<SnapshotOptions> SnapshotEvery = Flag(
        "--snapshot-every", "N|SIZE",
        "How much of the log makes a new snapshot due: N entries, or a SIZE such as 512MiB. [default: 256MiB, and no less than the last snapshot's size]",
        null, ParseSnapshotEvery);

    private static readonly Option<SnapshotOptions> SnapshotRate = Flag(
        "--snapshot-rate", "SIZE", "How much of a snapshot is written and sent in a second, so that the log's writes keep their latency. [default: 64MiB]",
        null, ParseSnapshotRate);

    private static readonly Option<string> Level = Flag(
        "--log-level", "LEVEL", "What is worth a line on stderr: debug, information, warning or error.",
        _ => "information", ParseLogLevel);

    private static readonly Option<string> Disk = Flag(
        "--disk", "MODE", "How the log is written: direct, past the page cache, or buffered.", _ => "direct", ParseDisk);

    private static readonly Option<bool> Version = new("--version") { Description = "Print the version." };

    private static readonly Command Server = new("raftfast", "A replicated key-value server, driven over HTTP.")
    {
        Id, Cluster, Port, Join, Listen, DataDirectory, RequestTimeout, SnapshotEvery, SnapshotRate, Level, Disk, new HelpOption("--help", "-h"), Version,
        BackupCommand.Create(DataDirectory), RestoreCommand.Create(Id, Cluster, DataDirectory), InspectCommand.Create(DataDirectory),
    };

    /// <summary>Reads the flags, and does what a command among them says. A mistake becomes one line on <paramref name="error"/>.</summary>
    /// <returns>Null when the process has nothing more to do: it was asked for help, for what a command has done, or wrongly.</returns>
    /// <exception cref="StorageException">A command failed.</exception>
    public static ServerOptions? Parse(string[] args, TextWriter output, TextWriter error, out int exitCode)
    {
        // Otherwise the parser demands a command.
        Server.SetAction(_ => ExitCode.Success);
        // No response files: a value may begin with @.
        ParseResult flags = Server.Parse(WithTwoDashes(args), new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        exitCode = ExitCode.Success;
        if (flags.Action is HelpAction)
        {
            exitCode = flags.Invoke(new() { Output = output, Error = error });
            return null;
        }
        ServerOptions? options = null;
        string? mistake = Mistake(flags);
        if (mistake is null && flags.GetValue(Version))
        {
            output.WriteLine($"raftfast {VersionText}");
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

    private static string VersionText =>
        typeof(ServerCommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>The first thing that is wrong with a flag by itself.</summary>
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

    /// <summary>Puts the flags together. What is wrong between them is the result.</summary>
    private static string? Combine(ParseResult flags, out ServerOptions? options)
    {
        options = null;
        ulong id = flags.GetValue(Id);
        bool joins = flags.GetValue(Join);
        bool clusterIsGiven = flags.GetResult(Cluster) is { Implicit: false };
        List<PeerAddress> addresses = flags.GetValue(Cluster)!;
        if (joins && !clusterIsGiven)
            return "--join needs --cluster, with this node's own URL in the place of its --id, or as the last";
        if (!joins && IdMistake(id, addresses) is { } mistake)
            return mistake;
        int port = flags.GetValue(Port);
        PeerAddress own = id <= (ulong)addresses.Count ? addresses[(int)id - 1] : addresses[^1];
        if (port == own.Port)
            return $"--port is {port}, which is also the port of this member's URL {own}; give clients another port";
        options = new ServerOptions
        {
            MemberId = id,
            Joins = joins,
            Configuration = ClusterConfiguration.Bootstrap(addresses),
            ClusterIsGiven = clusterIsGiven,
            Address = own,
            Listen = flags.GetValue(Listen)!,
            Port = port,
            DataDirectory = flags.GetValue(DataDirectory) ?? $"raftfast-{id}",
            RequestTimeout = TimeSpan.FromMilliseconds(flags.GetValue(RequestTimeout)),
            Snapshots = (flags.GetValue(SnapshotEvery) ?? new()) with { WriteBytesPerSecond = (flags.GetValue(SnapshotRate) ?? new()).WriteBytesPerSecond },
            LogLevel = Enum.Parse<LogLevel>(flags.GetValue(Level)!, ignoreCase: true),
            Disk = flags.GetValue(Disk) == "direct" ? DiskWriteMode.Direct : DiskWriteMode.Buffered,
        };
        return null;
    }

    internal static string? IdMistake(ulong id, List<PeerAddress> addresses)
    {
        if (id <= (ulong)addresses.Count)
            return null;
        return addresses.Count == 1
            ? $"--id is {id}, but --cluster names one member; --id is 1, or --cluster lacks URLs"
            : $"--id is {id}, but --cluster names {addresses.Count} members; --id is the place of the own URL, 1 to {addresses.Count}";
    }

    private static Option<T> Flag<T>(
        string name, string valueName, string description, Func<ArgumentResult, T>? defaultValue, Func<ArgumentResult, T?> parse) =>
        new(name)
        {
            HelpName = valueName,
            Description = description,
            DefaultValueFactory = defaultValue,
            Arity = ArgumentArity.ZeroOrMore,
            CustomParser = parse,
        };

    /// <summary>The value given last; empty when there is none, which <see cref="Mistake"/> reports.</summary>
    private static string Text(ArgumentResult argument) => argument.Tokens.Count == 0 ? "" : argument.Tokens[^1].Value;

    private static ulong ParseId(ArgumentResult argument)
    {
        string text = Text(argument);
        if (!ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong id) || id == 0)
            argument.AddError($"--id is '{text}'; it must be a whole number from 1");
        return id;
    }

    private static List<PeerAddress>? ParseCluster(ArgumentResult argument)
    {
        string text = Text(argument);
        List<PeerAddress> addresses = [];
        foreach (string url in text.Split(','))
        {
            PeerAddress? address = PeerAddress.TryParse(url, out string? error);
            if (addresses.Count == Quorum.VotersMax)
                error = $"there are more than {Quorum.VotersMax} URLs; a cluster has at most so many members, and three or five serve best";
            else if (address is not null && addresses.Contains(address))
                error = $"'{url}' is there twice; each member has a URL of its own";
            if (error is not null)
            {
                argument.AddError($"--cluster: {error}");
                return null;
            }
            addresses.Add(address!);
        }
        return addresses;
    }

    private static int ParsePort(ArgumentResult argument)
    {
        string text = Text(argument);
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            argument.AddError($"--port is '{text}'; it must be a port from 1 to 65535, or 0 for any free one");
        return port;
    }

    private static IPAddress? ParseListen(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text == "*")
            return Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        if (IPAddress.TryParse(text, out IPAddress? address))
            return address;
        address = HostName.Resolve(text);
        if (address is null)
            argument.AddError($"--listen is '{text}', a name without an address; it must be an IP address, a name of this machine, or *");
        return address;
    }

    private static string ParseDataDirectory(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text.Length == 0)
            argument.AddError("--data-dir is empty; it must be the path of a directory");
        return text;
    }

    private static int ParseRequestTimeout(ArgumentResult argument)
    {
        string text = Text(argument);
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int milliseconds);
        if (!isNumber || milliseconds is 0 or > RequestTimeoutMsMax)
            argument.AddError($"--request-timeout is '{text}'; it must be milliseconds from 1 to {RequestTimeoutMsMax}");
        return milliseconds;
    }

    private static SnapshotOptions? ParseSnapshotEvery(ArgumentResult argument)
    {
        string text = Text(argument);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long entries) && entries > 0)
            return new SnapshotOptions { EveryEntries = entries, EveryBytes = 0, WaitsForItsSize = false };
        if (ByteSize.TryParse(text, out long bytes) && bytes > 0)
            return new SnapshotOptions { EveryBytes = bytes, WaitsForItsSize = false };
        argument.AddError($"--snapshot-every is '{text}'; it must be a number of entries from 1, or a size such as 512MiB");
        return null;
    }

    private static SnapshotOptions? ParseSnapshotRate(ArgumentResult argument)
    {
        string text = Text(argument);
        if (ByteSize.TryParse(text, out long bytes) && bytes >= ByteSize.Mebibyte)
            return new SnapshotOptions { WriteBytesPerSecond = bytes };
        argument.AddError($"--snapshot-rate is '{text}'; it must be a size from 1MiB, for a second");
        return null;
    }

    private static string ParseLogLevel(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text is not ("debug" or "information" or "warning" or "error"))
            argument.AddError($"--log-level is '{text}'; it must be debug, information, warning or error");
        return text;
    }

    private static string ParseDisk(ArgumentResult argument)
    {
        string text = Text(argument);
        if (text is not ("direct" or "buffered"))
            argument.AddError($"--disk is '{text}'; it must be direct or buffered");
        return text;
    }
}
