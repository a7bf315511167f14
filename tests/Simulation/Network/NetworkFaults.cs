namespace RaftFast.Simulation.Network;

/// <summary>How a simulated network misbehaves while faults are on. Rates are "one in n"; 0: never. Times in microseconds.</summary>
internal sealed record NetworkFaults
{
    public long LatencyMin { get; init; } = 50;

    public long LatencyMax { get; init; } = 500;

    public int LoseOneIn { get; init; }

    public int DuplicateOneIn { get; init; }

    public int ReorderOneIn { get; init; }

    /// <summary>A frame that is kept and delivered once more, seconds later.</summary>
    public int ReplayOneIn { get; init; }

    public int DelayOneIn { get; init; }

    public long DelayMax { get; init; } = 300_000;
}
