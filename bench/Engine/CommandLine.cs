using System.CommandLine;

namespace RaftFast.Engine;

/// <summary>Options from the command line.</summary>
internal sealed record EngineOptions
{
    public required Workload Workload { get; init; }

    public required int Members { get; init; }

    public required double WarmUpSeconds { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Number of commits to measure, or 0 to measure for <see cref="Seconds"/>.</summary>
    public required long Count { get; init; }

    /// <summary>Directory in which a temporary directory is created and removed.</summary>
    public required string DataDirectory { get; init; }

    public required bool ComparesWithDotNext { get; init; }

    /// <summary>Number of runs of each system, in turn.</summary>
    public required int Rounds { get; init; }

    public required bool RunsGrid { get; init; }

    public required bool PrintsCsv { get; init; }
}

/// <summary>The flags. A mistake in a flag is reported in one line, and nothing is started.</summary>
internal static class CommandLine
{
    private const string DotNext = "dotnext";

    private static readonly Option<int> Members = Flag("--members", "N", "Number of voters: 1, 3 or 5.", 3);
    private static readonly Option<int> Clients = Flag(
        "--clients", "N", "Number of clients; each acts on the loop like a connection.", 64);
    private static readonly Option<int> Outstanding = Flag(
        "--outstanding", "N", "Outstanding writes of each client.", 256);
    private static readonly Option<int> Value = Flag("--value", "BYTES", "Bytes of each value.", 16);
    private static readonly Option<int> Keys = Flag("--keys", "N", "Number of keys.", 10_000);
    private static readonly Option<double> Seconds = Flag("--seconds", "N", "Duration of the measurement.", 5.0);
    private static readonly Option<double> WarmUp = Flag(
        "--warm-up", "SECONDS", "Time before measuring begins.", 2.0);
    private static readonly Option<long> Count = Flag(
        "--count", "N", "Measure until N writes are committed, instead of --seconds.", 0L);
    private static readonly Option<string> DataDirectory = Flag(
        "--data-dir", "DIRECTORY", "Parent of the temporary data directory.", ".");
    private static readonly Option<string?> Against = new("--against")
    {
        HelpName = DotNext,
        Description = "Run this library in turn with RaftFast.",
    };

    private static readonly Option<int> Rounds = Flag("--rounds", "N", "Runs of each system, for --against.", 3);
    private static readonly Option<bool> Grid = new("--grid")
    {
        Description = "Print a table of many workloads, each measured for a second.",
    };

    private static readonly Option<bool> Csv = new("--csv") { Description = "Print lines of CSV." };

    public static Task<int> InvokeAsync(string[] args, Func<EngineOptions, Task> run)
    {
        RootCommand root = new(
            "Measures commits a second of RaftFast's consensus engine: members, logs and connections, without HTTP.")
        {
            Members, Clients, Outstanding, Value, Keys, Seconds, WarmUp, Count, DataDirectory, Against, Rounds, Grid,
            Csv,
        };
        Against.AcceptOnlyFromAmong(DotNext);
        root.SetAction(async parsed =>
        {
            Workload workload = new(
                parsed.GetValue(Clients), parsed.GetValue(Outstanding), parsed.GetValue(Value), parsed.GetValue(Keys));
            if (Mistake(parsed, workload) is { } mistake)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"engine: {mistake}");
                return 2;
            }
            await run(new EngineOptions
            {
                Workload = workload,
                Members = parsed.GetValue(Members),
                WarmUpSeconds = parsed.GetValue(WarmUp),
                Seconds = parsed.GetValue(Seconds),
                Count = parsed.GetValue(Count),
                DataDirectory = parsed.GetValue(DataDirectory)!,
                ComparesWithDotNext = parsed.GetValue(Against) is not null,
                Rounds = parsed.GetValue(Rounds),
                RunsGrid = parsed.GetValue(Grid),
                PrintsCsv = parsed.GetValue(Csv),
            });
            return 0;
        });
        return root.Parse(args).InvokeAsync();
    }

    private static string? Mistake(ParseResult parsed, Workload workload)
    {
        if (parsed.GetValue(Members) is not (1 or 3 or 5))
            return "--members must be 1, 3 or 5";
        if (workload.Clients < 1 || workload.Outstanding < 1 || parsed.GetValue(Rounds) < 1)
            return "--clients, --outstanding and --rounds must be 1 or more";
        if (workload.ValueBytes is < 0 or > 1 << 20 || workload.Keys is < 1 or > 10_000_000)
            return "--value must be from 0 to 1048576, --keys from 1 to 10000000";
        return workload.FitsTheLeader
            ? null
            : "--clients × --outstanding is more than the leader accepts at once; lower one of them";
    }

    private static Option<T> Flag<T>(string name, string valueName, string description, T defaultValue) =>
        new(name) { HelpName = valueName, Description = description, DefaultValueFactory = _ => defaultValue };
}
