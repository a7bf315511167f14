using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;

namespace RaftFast.Simulation.Scenarios;

/// <summary>
/// Makes a failing scenario smaller while the same failure happens: without a fault, with fewer servers, clients and
/// keys, in less time. A change alters the whole history, so each change is tried with several seeds.
/// </summary>
internal static class Shrinker
{
    private const int SeedsForEach = 30;

    public static Scenario Shrink(Scenario failing, string failure, TextWriter output)
    {
        string kind = KindOf(failure);
        Scenario smallest = failing;
        bool hasShrunk = true;
        while (hasShrunk)
        {
            hasShrunk = false;
            foreach (Scenario smaller in Reductions(smallest))
            {
                if (FailsAlike(smaller, kind) is not { } same)
                    continue;
                smallest = same;
                hasShrunk = true;
                output.WriteLine($"smaller: {smallest}");
                break;
            }
        }
        return smallest;
    }

    /// <summary>Returns the failure's first line without the server.</summary>
    private static string KindOf(string failure)
    {
        string line = failure.Split('\n')[0];
        bool namesServer = line.StartsWith("server ", StringComparison.Ordinal);
        int colon = namesServer ? line.IndexOf(": ", StringComparison.Ordinal) : -1;
        return line[(colon + 1)..];
    }

    private static Scenario? FailsAlike(Scenario scenario, string kind)
    {
        for (ulong i = 0; i < SeedsForEach; i++)
        {
            Scenario candidate = scenario with { Seed = scenario.Seed + i };
            string? failure = Campaign.RunSeed(candidate, new Counters(), new RunTrace(null), null, out _);
            if (failure is not null && KindOf(failure) == kind)
                return candidate;
        }
        return null;
    }

    private static IEnumerable<Scenario> Reductions(Scenario whole)
    {
        foreach (Fault fault in whole.Faults)
            yield return whole with { Faults = [.. Without(whole.Faults, fault)] };
        NetworkFaults network = whole.Network;
        bool isFaulty = network.LoseOneIn > 0 || network.DuplicateOneIn > 0 || network.ReorderOneIn > 0
            || network.ReplayOneIn > 0 || network.DelayOneIn > 0 || network.LearnDelayMax > 0;
        if (isFaulty)
            yield return whole with { Network = new NetworkFaults() };
        if (network.LoseOneIn > 0)
            yield return whole with { Network = network with { LoseOneIn = 0 } };
        if (network.DuplicateOneIn > 0)
            yield return whole with { Network = network with { DuplicateOneIn = 0 } };
        if (network.ReorderOneIn > 0)
            yield return whole with { Network = network with { ReorderOneIn = 0 } };
        if (network.ReplayOneIn > 0)
            yield return whole with { Network = network with { ReplayOneIn = 0 } };
        if (network.DelayOneIn > 0)
            yield return whole with { Network = network with { DelayOneIn = 0 } };
        if (network.LearnDelayMax > 0)
            yield return whole with { Network = network with { LearnDelayMax = 0 } };
        if (whole.DiskStallOneIn > 0)
            yield return whole with { DiskStallOneIn = 0 };
        if (whole.HoldsWrites)
            yield return whole with { HoldsWrites = false };
        if (whole.IsBuffered)
            yield return whole with { IsBuffered = false };
        if (whole.ClockSkewPercent > 0)
            yield return whole with { ClockSkewPercent = 0 };
        if (whole.Servers > 1)
            yield return whole with { Servers = whole.Servers - 2 };
        if (whole.TransactionClients > 0)
            yield return whole with { TransactionClients = whole.TransactionClients / 2 };
        if (whole.Clients > 1)
            yield return whole with { Clients = whole.Clients / 2 };
        if (whole.Keys > 1)
            yield return whole with { Keys = 1 };
        if (whole.Duration > 500_000)
            yield return whole with { Duration = whole.Duration / 2 };
    }

    private static IEnumerable<Fault> Without(IReadOnlyList<Fault> faults, Fault one)
    {
        foreach (Fault fault in faults)
        {
            if (fault != one)
                yield return fault;
        }
    }
}
