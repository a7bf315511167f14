namespace RaftFast.Engine;

/// <summary>What the command line asked for.</summary>
internal sealed record EngineOptions
{
    public required Workload Workload { get; init; }

    public required int Members { get; init; }

    public required double WarmUpSeconds { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Exactly so many commits; 0: as many as there are in <see cref="Seconds"/>.</summary>
    public required long Count { get; init; }

    /// <summary>An empty one is made in it, and removed.</summary>
    public required string DataDirectory { get; init; }

    public required bool ComparesWithDotNext { get; init; }

    /// <summary>Runs of each, in turn.</summary>
    public required int Rounds { get; init; }

    public required bool RunsGrid { get; init; }

    public required bool PrintsCsv { get; init; }
}
