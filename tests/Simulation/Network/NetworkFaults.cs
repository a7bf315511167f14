namespace RaftFast.Simulation.Network;

/// <summary>
/// Faults of a simulated network. Rates mean "one in n", and 0 means never. Times are in microseconds.
/// </summary>
internal sealed record NetworkFaults
{
    public long LatencyMin { get; init; } = 50;

    public long LatencyMax { get; init; } = 500;

    public int LoseOneIn { get; init; }

    public int DuplicateOneIn { get; init; }

    public int ReorderOneIn { get; init; }

    /// <summary>Rate of frames that are delivered once more, half a second to five seconds later.</summary>
    public int ReplayOneIn { get; init; }

    public int DelayOneIn { get; init; }

    public long DelayMax { get; init; } = 300_000;

    /// <summary>Maximum time until a side learns that a connection has begun or ended.</summary>
    public long LearnDelayMax { get; init; }
}
