using System.Diagnostics;
using System.Globalization;
using RaftFast.Protocol;
using RaftFast.Simulation.Exhaustive;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Storage.Disk;

namespace RaftFast.Simulation;

/// <summary>Runs many seeds, one after another, and sums up their results.</summary>
internal sealed class Campaign(TextWriter output)
{
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private long simulated;
    private long events;

    public Counters Counters { get; } = new();

    public int Histories { get; private set; }

    /// <summary>Simulated time divided by real time.</summary>
    public double Speed => simulated / 1e6 / clock.Elapsed.TotalSeconds;

    /// <returns>Description of the failure, or null.</returns>
    public static string? RunSeed(
        Scenario scenario, Counters counters, RunTrace trace, CrashPoint? crash, out long simulated)
    {
        using Cluster cluster = new(scenario, counters, trace, crash);
        try
        {
            cluster.Run();
            return null;
        }
        catch (Exception failure) when (failure is InvariantException or StorageException)
        {
            return failure.Message;
        }
        // Any other exception is a bug too, and its seed must be reported.
        catch (Exception failure)
        {
            return $"{failure.GetType().Name}: {failure.Message} {FirstLine(failure.StackTrace)}";
        }
        finally
        {
            simulated = cluster.Events.Now;
        }
    }

    private static string FirstLine(string? text) => (text ?? "").Split('\n')[0].Trim();

    /// <returns>True if the seed passed.</returns>
    public bool Run(Scenario scenario, string replay)
    {
        RunTrace trace = new(null);
        string? failure = RunSeed(scenario, Counters, trace, null, out long time);
        simulated += time;
        events += trace.Events;
        Histories++;
        if (failure is null)
            return true;
        output.WriteLine($"seed {scenario.Seed} FAILED: {failure}");
        output.WriteLine($"  {scenario}");
        output.WriteLine($"  replay: {replay}");
        return false;
    }

    public void Report()
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Histories:N0} seeds, {events:N0} events, {simulated / 1e6:N0} s simulated " +
            $"in {clock.Elapsed.TotalSeconds:N1} s: {Speed:N0} times as fast as real time"));
        Counters.WriteTo(output);
    }
}
