using System.Net;
using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest;

/// <summary>Options from the command line, checked.</summary>
internal sealed record LoadTestOptions
{
    public required Scenario Scenario { get; init; }

    /// <summary>Empty if the scenario starts its own cluster.</summary>
    public required IReadOnlyList<IPEndPoint> Targets { get; init; }

    /// <summary>Path of the raftfast binary that a scenario's cluster runs.</summary>
    public required string Binary { get; init; }

    public required IReadOnlyList<string> Simulations { get; init; }

    public required RunPlan Plan { get; init; }

    public required IReadOnlyList<Threshold> Thresholds { get; init; }

    /// <summary>Time that a request may take.</summary>
    public required TimeSpan Timeout { get; init; }

    public string? ReportDirectory { get; init; }

    public bool Calibrates { get; init; }
}
