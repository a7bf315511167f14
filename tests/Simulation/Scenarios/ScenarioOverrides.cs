using System.Globalization;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Network;

namespace RaftFast.Simulation.Scenarios;

/// <summary>
/// Values of a scenario by name, with which a shrunk scenario can be run again:
/// <c>--set servers=3 --set faults=Crash,Pause</c>.
/// </summary>
internal static class ScenarioOverrides
{
    /// <returns>Null if the override is malformed.</returns>
    public static Scenario? Apply(Scenario scenario, string setting)
    {
        string[] parts = setting.Split('=', 2);
        if (parts.Length != 2)
            return null;
        if (parts[0] == "faults")
            return ParseFaults(parts[1]) is { } faults ? scenario with { Faults = faults } : null;
        if (!int.TryParse(parts[1], CultureInfo.InvariantCulture, out int value) || value < 0)
            return null;
        return parts[0] switch
        {
            "servers" => scenario with { Servers = value },
            "spares" => scenario with { Spares = value },
            "snapshot" => scenario with { SnapshotEvery = value },
            "churn" => scenario with { ChurnIntervalMax = value },
            "clients" => scenario with { Clients = value },
            "conditional" => scenario with { ConditionalPercent = value },
            "transactions" => scenario with { TransactionClients = value },
            "keys" => scenario with { Keys = value },
            "moves" => scenario with { MovesTogether = value > 0 },
            "starves" => scenario with { Starves = value > 0 },
            "holds" => scenario with { HoldsWrites = value > 0 },
            "unmount" => scenario with { Unmount = (UnmountKind)value },
            "duration" => scenario with { Duration = value },
            "lose" => scenario with { Network = scenario.Network with { LoseOneIn = value } },
            "duplicate" => scenario with { Network = scenario.Network with { DuplicateOneIn = value } },
            "reorder" => scenario with { Network = scenario.Network with { ReorderOneIn = value } },
            "replay" => scenario with { Network = scenario.Network with { ReplayOneIn = value } },
            "delay" => scenario with { Network = scenario.Network with { DelayOneIn = value } },
            "learn" => scenario with { Network = scenario.Network with { LearnDelayMax = value } },
            "latency" => scenario with { Network = scenario.Network with { LatencyMin = 50, LatencyMax = value } },
            "stall" => scenario with { DiskStallOneIn = value },
            "buffered" => scenario with { IsBuffered = value > 0 },
            "skew" => scenario with { ClockSkewPercent = value },
            _ => null,
        };
    }

    /// <summary>
    /// Returns the <c>--set</c> flags that make <paramref name="changed"/> of the scenario that its seed draws.
    /// </summary>
    public static string Describe(Scenario changed)
    {
        NetworkFaults network = changed.Network;
        return $"--set servers={changed.Servers} --set spares={changed.Spares} " +
            $"--set churn={changed.ChurnIntervalMax} --set snapshot={changed.SnapshotEvery} " +
            $"--set clients={changed.Clients} --set keys={changed.Keys} " +
            $"--set transactions={changed.TransactionClients} " +
            $"--set conditional={changed.ConditionalPercent} --set duration={changed.Duration} " +
            $"--set faults={string.Join(',', changed.Faults)} --set unmount={(int)changed.Unmount} " +
            $"--set moves={(changed.MovesTogether ? 1 : 0)} --set starves={(changed.Starves ? 1 : 0)} " +
            $"--set holds={(changed.HoldsWrites ? 1 : 0)} " +
            $"--set lose={network.LoseOneIn} " +
            $"--set duplicate={network.DuplicateOneIn} --set reorder={network.ReorderOneIn} " +
            $"--set replay={network.ReplayOneIn} --set delay={network.DelayOneIn} " +
            $"--set learn={network.LearnDelayMax} --set latency={network.LatencyMax} " +
            $"--set stall={changed.DiskStallOneIn} " +
            $"--set buffered={(changed.IsBuffered ? 1 : 0)} --set skew={changed.ClockSkewPercent}";
    }

    private static List<Fault>? ParseFaults(string list)
    {
        List<Fault> faults = [];
        foreach (string name in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Enum.TryParse(name, out Fault fault))
                return null;
            faults.Add(fault);
        }
        return faults;
    }
}
