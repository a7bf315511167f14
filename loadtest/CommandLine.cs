using System.CommandLine;
using System.Net;
using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest;

/// <summary>The flags. A mistake in a flag is reported in one line, and nothing is started.</summary>
internal sealed class CommandLine
{
    /// <summary>Maximum bytes of all values together: the generator keeps every request in memory.</summary>
    private const long ValuesBytesMax = 256 << 20;

    private const string BinaryVariable = "RAFTFAST_BINARY";

    private readonly Option<string> scenario = Flag(
        "--scenario", "NAME", "Scenario to run; --list prints them.", "put");

    private readonly Option<string[]> targets = Flags(
        "--target", "URL", "HTTP URL of a member; repeat it for several members. [default: http://127.0.0.1:9121]");

    private readonly Option<bool> allowRemote = new("--allow-remote")
    {
        Description = "Allow a target on another machine.",
    };

    private readonly Option<string?> binary = Flag<string?>(
        "--binary", "PATH",
        $"raftfast binary, for scenarios that start their own cluster. [default: {BinaryVariable}, else out/raftfast]");

    private readonly Option<string[]> simulations = Flags(
        "--simulation", "SIMULATION",
        "Load, like \"KeepConstant(copies: 64, during: 10s)\"; repeated ones run in order. [default: the scenario's]");

    private readonly Option<string> warmUp = Flag(
        "--warm-up", "TIME", "Time that the first simulation runs before measuring begins.", "2s");

    private readonly Option<string[]> thresholds = Flags(
        "--threshold", "THRESHOLD",
        "Condition like \"p99<10ms\"; if one is missed, the exit code is 1. [default: the scenario's]");

    private readonly Option<string?> report = Flag<string?>(
        "--report", "DIRECTORY", "Directory for the reports, <scenario>.html and <scenario>.md.");

    private readonly Option<long> maxRequests = Flag(
        "--max-requests", "N", "Maximum number of iterations.", 20_000_000L);

    private readonly Option<int> copiesMax = Flag(
        "--copies-max", "N", "Maximum iterations under way at once in an open loop; further ones wait.", 256);

    private readonly Option<string> timeout = Flag(
        "--timeout", "TIME", "Time after which a request counts as failed.", "10s");

    private readonly Option<int> keys = Flag("--keys", "N", "Number of keys.", 1000);

    private readonly Option<int> valueBytes = Flag("--value-bytes", "N", "Bytes of each value.", 64);

    private readonly Option<int> snapshotEvery = Flag(
        "--snapshot-every", "N", "Entries between two snapshots, in the scenario snapshot.", 10_000);

    private readonly Option<bool> noCalibration = new("--no-calibration")
    {
        Description = "Don't measure the generator itself.",
    };

    private readonly Option<bool> list = new("--list") { Description = "Print the scenarios." };

    private readonly Option<bool> serveEmpty = new("--serve-empty")
    {
        Description = "Run no load, but an HTTP server on --port that answers each PUT with 204 at once.",
    };

    private readonly Option<string?> relay = Flag<string?>(
        "--relay", "ROUTES",
        "Run no load, but a network with a round trip: FROM=TO,FROM=TO, each an address and a port.");

    private readonly Option<string> roundTrip = Flag("--round-trip", "TIME", "Round trip of --relay.", "10ms");

    private readonly Option<int> port = Flag("--port", "N", "Port of --serve-empty.", 9199);

    private readonly RootCommand root;
    private string? mistake;
    private List<(IPEndPoint From, IPEndPoint To)>? routes;

    public CommandLine(
        Func<LoadTestOptions, CancellationToken, Task<int>> run, Func<int, int, CancellationToken, Task<int>> serve,
        Func<List<(IPEndPoint From, IPEndPoint To)>, TimeSpan, CancellationToken, Task<int>> handOn)
    {
        root = new RootCommand("Load scenarios for RaftFast's HTTP front.")
        {
            scenario, targets, allowRemote, binary, simulations, warmUp, thresholds, report, maxRequests, copiesMax,
            timeout, keys, valueBytes, snapshotEvery, noCalibration, list, serveEmpty, port,
            relay, roundTrip,
        };
        root.SetAction(async (parsed, cancellation) =>
        {
            LoadTestOptions? options = Combine(parsed);
            if (mistake is not null)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"loadtest: {mistake}");
                return ExitCode.Usage;
            }
            if (parsed.GetValue(serveEmpty))
                return await serve(parsed.GetValue(port), parsed.GetValue(valueBytes), cancellation);
            if (routes is not null)
                return await handOn(routes, Time(parsed, roundTrip), cancellation);
            if (!parsed.GetValue(list))
                return await run(options!, cancellation);
            foreach (Scenario each in Catalog.All(1, 1, 1))
            {
                string defaults = $"[{each.DefaultSimulation}; {string.Join(", ", each.DefaultThresholds)}]";
                string line = $"{each.Name,-15}{each.Description} {defaults}";
                await parsed.InvocationConfiguration.Output.WriteLineAsync(line);
            }
            return ExitCode.Success;
        });
    }

    public async Task<int> InvokeAsync(string[] args, TextWriter output, TextWriter error)
    {
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            await error.WriteLineAsync($"loadtest: {parsed.Errors[0].Message}");
            return ExitCode.Usage;
        }
        return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
    }

    /// <returns>The options, or null after a mistake.</returns>
    private LoadTestOptions? Combine(ParseResult parsed)
    {
        mistake = null;
        int keyCount = Within(parsed, keys, 1, 1_000_000);
        int bytes = Within(parsed, valueBytes, 0, 1 << 20);
        int snapshots = Within(parsed, snapshotEvery, 1, int.MaxValue);
        int copies = Within(parsed, copiesMax, 1, SimulationParser.CopiesMax);
        Within(parsed, port, 0, ushort.MaxValue);
        string? pairs = parsed.GetValue(relay);
        routes = pairs is null ? null : Relay.ParseRoutes(pairs);
        if (pairs is not null && routes is null)
            mistake ??= $"--relay is '{pairs}'; it must be FROM=TO, or several with commas, as 127.0.0.1:1=127.0.0.1:2";
        Time(parsed, roundTrip);
        if ((long)keyCount * bytes > ValuesBytesMax)
        {
            mistake ??= $"--keys {keyCount} of --value-bytes {bytes} are more than {ValuesBytesMax >> 20} MiB "
                + "together; use fewer keys or smaller values";
        }
        if (mistake is not null)
            return null;
        string name = parsed.GetValue(scenario)!;
        Scenario? chosen = Catalog.All(keyCount, bytes, snapshots).FirstOrDefault(each => each.Name == name);
        if (chosen is null)
        {
            mistake = $"there is no scenario '{name}'; --list prints all scenarios";
            return null;
        }
        string[] simulationTexts = Given(parsed, simulations) ?? [chosen.DefaultSimulation];
        TimeSpan requestTimeout = Time(parsed, timeout);
        return new LoadTestOptions
        {
            Scenario = chosen,
            Targets = ParseTargets(parsed, chosen),
            Binary = parsed.GetValue(binary) ?? DefaultBinary(),
            Simulations = simulationTexts,
            Plan = new RunPlan(
                ParseAll(simulationTexts, SimulationParser.TryParse), Time(parsed, warmUp), copies,
                parsed.GetValue(maxRequests), requestTimeout),
            Thresholds = ParseAll(Given(parsed, thresholds) ?? chosen.DefaultThresholds, Threshold.TryParse),
            Timeout = requestTimeout,
            ReportDirectory = parsed.GetValue(report),
            Calibrates = !parsed.GetValue(noCalibration),
        };
    }

    private List<IPEndPoint> ParseTargets(ParseResult parsed, Scenario chosen)
    {
        string[]? urls = Given(parsed, targets);
        if (chosen.Disturbance is not null)
        {
            if (urls is not null)
                mistake ??= $"{chosen.Name} starts a cluster of its own from --binary; leave out --target";
            return [];
        }
        bool allowsRemote = parsed.GetValue(allowRemote);
        return ParseAll(
            urls ?? ["http://127.0.0.1:9121"],
            (string url, out string? error) => TargetAddress.TryParse(url, allowsRemote, out error));
    }

    private delegate T? Parser<T>(string text, out string? error)
        where T : class;

    private List<T> ParseAll<T>(IEnumerable<string> texts, Parser<T> parse)
        where T : class
    {
        List<T> all = [];
        foreach (string text in texts)
        {
            T? one = parse(text, out string? error);
            mistake ??= error;
            if (one is not null)
                all.Add(one);
        }
        return all;
    }

    private static Option<T> Flag<T>(string name, string valueName, string description, T defaultValue) =>
        new(name) { HelpName = valueName, Description = description, DefaultValueFactory = _ => defaultValue };

    private static Option<T> Flag<T>(string name, string valueName, string description) =>
        new(name) { HelpName = valueName, Description = description };

    private static Option<string[]> Flags(string name, string valueName, string description) =>
        Flag<string[]>(name, valueName, description);

    private static string[]? Given(ParseResult parsed, Option<string[]> option) =>
        parsed.GetValue(option) is { Length: > 0 } given ? given : null;

    private static string DefaultBinary() =>
        Environment.GetEnvironmentVariable(BinaryVariable) is { Length: > 0 } named
            ? named
            : Path.Combine("out", "raftfast");

    private TimeSpan Time(ParseResult parsed, Option<string> option)
    {
        string text = parsed.GetValue(option)!;
        if (!Duration.TryParse(text, out TimeSpan time) || time > SimulationParser.DuringMax)
        {
            mistake ??= $"{option.Name} is '{text}'; it must be a time like 500ms or 2s, "
                + $"at most {Duration.Text(SimulationParser.DuringMax)}";
        }
        return time;
    }

    private int Within(ParseResult parsed, Option<int> option, int min, int max)
    {
        int number = parsed.GetValue(option);
        if (number < min || number > max)
            mistake ??= $"{option.Name} is {number}; it must be from {min} to {max}";
        return number;
    }
}
