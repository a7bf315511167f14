using System.CommandLine;
using System.Net;
using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest;

/// <summary>The flags. A mistake becomes one line, and nothing is started.</summary>
internal sealed class CommandLine
{
    /// <summary>Bytes of all values together: every request is kept ready.</summary>
    private const long ValuesBytesMax = 256 << 20;

    private const string BinaryVariable = "RAFTFAST_BINARY";

    private readonly Option<string> scenario = Flag("--scenario", "NAME", "Which scenario; --list names them.", "put");

    private readonly Option<string[]> targets = Flags(
        "--target", "URL", "A member's HTTP port; several for several members. [default: http://127.0.0.1:9121]");

    private readonly Option<bool> allowRemote = new("--allow-remote") { Description = "The target may be another machine." };

    private readonly Option<string?> binary = Flag<string?>(
        "--binary", "PATH", $"The server that scenarios with a cluster of their own start. [default: {BinaryVariable}, else out/raftfast]");

    private readonly Option<string[]> simulations = Flags(
        "--simulation", "SIMULATION",
        "Like \"KeepConstant(copies: 64, during: 10s)\"; several run one after the other. [default: the scenario's]");

    private readonly Option<string> warmUp = Flag(
        "--warm-up", "TIME", "For so long the first simulation runs before anything counts.", "2s");

    private readonly Option<string[]> thresholds = Flags(
        "--threshold", "THRESHOLD", "Like \"p99<10ms\"; if one is missed, the exit code is 1. [default: the scenario's]");

    private readonly Option<string?> report = Flag<string?>("--report", "DIRECTORY", "Write <scenario>.html and <scenario>.md there.");

    private readonly Option<long> maxRequests = Flag("--max-requests", "N", "Begin no more iterations than these.", 20_000_000L);

    private readonly Option<int> copiesMax = Flag(
        "--copies-max", "N", "Of an open loop: so many iterations are under way at once, the others wait.", 256);

    private readonly Option<string> timeout = Flag("--timeout", "TIME", "After which a request has failed.", "10s");

    private readonly Option<int> keys = Flag("--keys", "N", "Different keys.", 1000);

    private readonly Option<int> valueBytes = Flag("--value-bytes", "N", "Of each value.", 64);

    private readonly Option<int> snapshotEvery = Flag(
        "--snapshot-every", "N", "Of scenario snapshot: entries between two snapshots.", 10_000);

    private readonly Option<bool> noCalibration = new("--no-calibration") { Description = "Don't measure the generator itself." };

    private readonly Option<bool> list = new("--list") { Description = "Print the scenarios." };

    private readonly Option<bool> serveEmpty = new("--serve-empty")
    {
        Description = "Instead of all that: be an HTTP server that answers each PUT 204 at once, on --port.",
    };

    private readonly Option<int> port = Flag("--port", "N", "For --serve-empty.", 9199);

    private readonly RootCommand root;
    private string? mistake;

    public CommandLine(Func<LoadTestOptions, CancellationToken, Task<int>> run, Func<int, int, CancellationToken, Task<int>> serve)
    {
        root = new RootCommand("Load scenarios for RaftFast's HTTP front.")
        {
            scenario, targets, allowRemote, binary, simulations, warmUp, thresholds, report, maxRequests, copiesMax, timeout, keys,
            valueBytes, snapshotEvery, noCalibration, list, serveEmpty, port,
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
            if (!parsed.GetValue(list))
                return await run(options!, cancellation);
            foreach (Scenario each in Catalog.All(1, 1, 1))
            {
                string defaults = $"[{each.DefaultSimulation}; {string.Join(", ", each.DefaultThresholds)}]";
                await parsed.InvocationConfiguration.Output.WriteLineAsync($"{each.Name,-15}{each.Description} {defaults}");
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

    /// <returns>Complete unless there is a mistake.</returns>
    private LoadTestOptions? Combine(ParseResult parsed)
    {
        mistake = null;
        int keyCount = Within(parsed, keys, 1, 1_000_000);
        int bytes = Within(parsed, valueBytes, 0, 1 << 20);
        int snapshots = Within(parsed, snapshotEvery, 1, int.MaxValue);
        int copies = Within(parsed, copiesMax, 1, SimulationParser.CopiesMax);
        Within(parsed, port, 0, ushort.MaxValue);
        if ((long)keyCount * bytes > ValuesBytesMax)
            mistake ??= $"--keys {keyCount} of --value-bytes {bytes} are more than {ValuesBytesMax >> 20} MiB together; take fewer or smaller";
        if (mistake is not null)
            return null;
        string name = parsed.GetValue(scenario)!;
        Scenario? chosen = Catalog.All(keyCount, bytes, snapshots).FirstOrDefault(each => each.Name == name);
        if (chosen is null)
        {
            mistake = $"there is no scenario '{name}'; --list prints those that there are";
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
                ParseAll(simulationTexts, SimulationParser.TryParse), Time(parsed, warmUp), copies, parsed.GetValue(maxRequests),
                requestTimeout),
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
                mistake ??= $"{chosen.Name} starts a cluster of its own, from --binary; it takes no --target";
            return [];
        }
        bool allowsRemote = parsed.GetValue(allowRemote);
        return ParseAll(
            urls ?? ["http://127.0.0.1:9121"], (string url, out string? error) => TargetAddress.TryParse(url, allowsRemote, out error));
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
        Environment.GetEnvironmentVariable(BinaryVariable) is { Length: > 0 } named ? named : Path.Combine("out", "raftfast");

    private TimeSpan Time(ParseResult parsed, Option<string> option)
    {
        string text = parsed.GetValue(option)!;
        if (!Duration.TryParse(text, out TimeSpan time) || time > SimulationParser.DuringMax)
        {
            mistake ??=
                $"{option.Name} is '{text}'; it must be a time like 500ms or 2s, at most {Duration.Text(SimulationParser.DuringMax)}";
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
