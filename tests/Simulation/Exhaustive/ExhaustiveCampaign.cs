using System.Diagnostics;
using System.Globalization;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Exhaustive;

/// <summary>
/// Counts the disk operations and messages of a short run. Then repeats the run with a crash before, during and after
/// each operation, and before and after each message. In one repetition a single server crashes, and in another all
/// servers.
/// </summary>
internal static class ExhaustiveCampaign
{
    /// <returns>Number of failed runs.</returns>
    public static int Run(int servers, ulong seed, TextWriter output)
    {
        Stopwatch clock = Stopwatch.StartNew();
        Scenario scenario = Scenario.Short(seed, servers);
        Counters counters = new();
        using Cluster undisturbed = new(scenario, counters, new RunTrace(null));
        undisturbed.Run();
        int runs = 0;
        int failed = 0;
        TimeSpan nextProgress = TimeSpan.FromSeconds(10);
        foreach (CrashPoint point in Points(undisturbed))
        {
            runs++;
            RunTrace trace = new(null);
            string? failure = Campaign.RunSeed(scenario, counters, trace, point, out _);
            if (failure is not null)
            {
                failed++;
                output.WriteLine($"{point} FAILED: {failure}");
            }
            if (clock.Elapsed > nextProgress)
            {
                output.WriteLine($"{runs:N0} runs, {failed} failed");
                nextProgress += TimeSpan.FromSeconds(10);
            }
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{servers} servers, seed {seed}: {runs:N0} runs, one for each moment of a crash; {failed} failed; " +
            $"{clock.Elapsed.TotalSeconds:N1} s"));
        return failed;
    }

    private static List<CrashPoint> Points(Cluster undisturbed)
    {
        List<CrashPoint> points = [];
        foreach (SimulatedServer server in undisturbed.Servers)
        {
            foreach (bool everywhere in (ReadOnlySpan<bool>)[false, true])
            {
                CrashPoint write = new(CrashPointKind.DiskOperation, server.Number, 0, default, everywhere);
                for (long i = 1; i <= server.Disk.Operations; i++)
                {
                    points.Add(write with { Ordinal = i, Moment = CrashMoment.Before });
                    points.Add(write with { Ordinal = i, Moment = CrashMoment.During });
                    points.Add(write with { Ordinal = i, Moment = CrashMoment.After });
                }
                CrashPoint send = new(CrashPointKind.Send, server.Number, 0, default, everywhere);
                for (long i = 1; i <= server.Sends; i++)
                {
                    points.Add(send with { Ordinal = i, Moment = CrashMoment.Before });
                    points.Add(send with { Ordinal = i, Moment = CrashMoment.After });
                }
            }
        }
        return points;
    }
}
