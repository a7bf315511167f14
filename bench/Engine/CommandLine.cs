using System.CommandLine;

namespace RaftFast.Engine;

/// <summary>The flags. A mistake becomes one line, and nothing is started.</summary>
internal static class CommandLine
{
    private const string DotNext = "dotnext";

    private static readonly Option<int> Members = Flag("--members", "N", "1, 3 or 5 voters.", 3);
    private static readonly Option<int> Clients = Flag("--clients", "N", "Each is to the loop what a connection is.", 64);
    private static readonly Option<int> Outstanding = Flag("--outstanding", "N", "Writes that each client has under way.", 256);
    private static readonly Option<int> Value = Flag("--value", "BYTES", "Of each value.", 16);
    private static readonly Option<int> Keys = Flag("--keys", "N", "Different keys.", 10_000);
    private static readonly Option<double> Seconds = Flag("--seconds", "N", "To measure for.", 5.0);
    private static readonly Option<double> WarmUp = Flag("--warm-up", "SECONDS", "Before anything counts.", 2.0);
    private static readonly Option<long> Count = Flag("--count", "N", "Measure until exactly so many are committed, instead.", 0L);
    private static readonly Option<string> DataDirectory = Flag("--data-dir", "DIRECTORY", "Where a temporary directory is made.", ".");
    private static readonly Option<string?> Against = new("--against")
    {
        HelpName = DotNext,
        Description = "Run that library in turn with RaftFast.",
    };

    private static readonly Option<int> Rounds = Flag("--rounds", "N", "Of --against: so many runs of each.", 3);
    private static readonly Option<bool> Grid = new("--grid") { Description = "A table of many workloads, a second each." };
    private static readonly Option<bool> Csv = new("--csv") { Description = "Print lines of CSV." };

    public static Task<int> InvokeAsync(string[] args, Func<EngineOptions, Task> run)
    {
        RootCommand root = new("Commits a second of RaftFast's consensus engine: real members, logs and connections, without HTTP.")
        {
            Members, Clients, Outstanding, Value, Keys, Seconds, WarmUp, Count, DataDirectory, Against, Rounds, Grid, Csv,
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
        return workload.FitsTheLeader ? null : "--clients × --outstanding are more than the leader has room for; it would refuse some";
    }

    private static Option<T> Flag<T>(string name, string valueName, string description, T defaultValue) =>
        new(name) { HelpName = valueName, Description = description, DefaultValueFactory = _ => defaultValue };
}
