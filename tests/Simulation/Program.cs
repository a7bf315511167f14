using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using RaftFast.Simulation.Exhaustive;
using RaftFast.Simulation.Mutants;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;

namespace RaftFast.Simulation;

internal static class Program
{
    /// <summary>
    /// Number of seeds that bring every counter above zero, with a wide margin, from any first seed.
    /// </summary>
    private const int SeedsThatMeetEverything = 2000;

    private const string Command = "dotnet run -c Release --project tests/Simulation --";

    public static int Main(string[] args)
    {
        Option<int> seeds = new("--seeds") { Description = "Number of seeds to run.", DefaultValueFactory = _ => 1000 };
        Option<ulong?> from = new("--from") { Description = "The first seed. Default: a new one, from the clock." };
        Option<ulong?> seed = new("--seed") { Description = "Run only this seed." };
        Option<int?> nodes = new("--nodes")
        {
            Description = "Number of servers in a cluster. Default: each seed draws 1, 3, 5 or 7.",
        };
        Option<double?> minutes = new("--minutes") { Description = "Run seeds for this time, instead of --seeds." };
        Option<bool> exhaustive = new("--exhaustive")
        {
            Description = "Run a short history once for each moment at which a server can die in it.",
        };
        Option<bool> shrink = new("--shrink")
        {
            Description = "Look for a smaller scenario that fails in the same way as --seed.",
        };
        Option<string[]> set = new("--set")
        {
            Description = "Change a value of the scenario of --seed: name=value, as --shrink prints it.",
            DefaultValueFactory = _ => [],
        };
        Option<bool> mutants = new("--mutants")
        {
            Description = "Build each mutant, a deliberate bug, and check that the seeds find it. Takes many minutes.",
        };
        Option<string[]> mutant = new("--mutant")
        {
            Description = "Check only the mutant of this name. May be given several times.",
            DefaultValueFactory = _ => [],
        };
        Option<bool> stopAtFirst = new("--stop-at-first-failure")
        {
            Description = "Stop after the first seed that fails.",
        };
        Option<bool> trace = new("--trace") { Description = "Print the history of --seed event by event." };
        RootCommand root = new(
            "Simulates whole RaftFast clusters, one history a seed, and checks every invariant after every event.")
        {
            seeds, from, seed, nodes, minutes, set, exhaustive, shrink, mutants, mutant, stopAtFirst, trace,
        };
        root.SetAction(parsed =>
        {
            int? servers = parsed.GetValue(nodes);
            string[] only = parsed.GetValue(mutant)!;
            if (parsed.GetValue(mutants) || only.Length > 0)
                return MutationGate.Run(Console.Out, only) ? 0 : 1;
            if (parsed.GetValue(exhaustive))
                return ExhaustiveCampaign.Run(servers ?? 3, parsed.GetValue(seed) ?? 1, Console.Out) == 0 ? 0 : 1;
            if (parsed.GetValue(seed) is { } one)
            {
                Scenario scenario = Scenario.Draw(one, servers);
                return RunOne(scenario, parsed.GetValue(set)!, parsed.GetValue(trace), parsed.GetValue(shrink));
            }
            ulong first = parsed.GetValue(from) ?? (ulong)Stopwatch.GetTimestamp();
            return RunMany(
                first, parsed.GetValue(seeds), servers, parsed.GetValue(minutes), parsed.GetValue(stopAtFirst));
        });
        return root.Parse(args).Invoke();
    }

    private static int RunOne(Scenario scenario, string[] changes, bool isTold, bool isShrunk)
    {
        foreach (string setting in changes)
        {
            if (ScenarioOverrides.Apply(scenario, setting) is not { } changed)
            {
                Console.Error.WriteLine($"--set {setting} is invalid: give name=value, as --shrink prints it");
                return 2;
            }
            scenario = changed;
        }
        Console.WriteLine($"seed {scenario.Seed}: {scenario}");
        RunTrace trace = new(isTold ? Console.Out : null);
        string? failure = Campaign.RunSeed(scenario, new Counters(), trace, null, out long simulated);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{trace.Events:N0} events, {simulated / 1e6:N1} s simulated, trace hash {trace.Hash:x16}"));
        Console.WriteLine(failure is null ? "passed" : $"FAILED: {failure}");
        if (failure is not null && isShrunk)
        {
            Scenario smallest = Shrinker.Shrink(scenario, failure, Console.Out);
            string settings = ScenarioOverrides.Describe(smallest);
            Console.WriteLine($"replay: {Command} --seed {smallest.Seed} {settings} --trace");
        }
        return failure is null ? 0 : 1;
    }

    private static int RunMany(ulong first, int count, int? nodes, double? minutes, bool stopAtFirst)
    {
        Campaign campaign = new(Console.Out);
        Stopwatch clock = Stopwatch.StartNew();
        TimeSpan nextProgress = TimeSpan.FromSeconds(10);
        int failed = 0;
        for (ulong i = 0; minutes is { } limit ? clock.Elapsed.TotalMinutes < limit : i < (ulong)count; i++)
        {
            Scenario scenario = Scenario.Draw(first + i, nodes);
            string replay = $"{Command} --seed {first + i}{(nodes is null ? "" : $" --nodes {nodes}")} --trace";
            failed += campaign.Run(scenario, replay) ? 0 : 1;
            if (failed > 0 && stopAtFirst)
                break;
            if (clock.Elapsed > nextProgress)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{i + 1:N0} seeds, {failed} failed, {campaign.Speed:N0} times real time"));
                nextProgress += TimeSpan.FromSeconds(10);
            }
        }
        Console.WriteLine($"first seed {first}");
        campaign.Report();
        // A fault that never has an effect tests nothing. In a short campaign a fault may be missing by chance.
        IReadOnlyList<string> missing = campaign.Counters.Missing();
        bool isHollow = campaign.Histories >= SeedsThatMeetEverything && missing.Count > 0;
        if (isHollow)
            Console.WriteLine($"FAILED: these counters stayed at zero in all seeds: {string.Join(", ", missing)}");
        return failed == 0 && !isHollow ? 0 : 1;
    }
}
