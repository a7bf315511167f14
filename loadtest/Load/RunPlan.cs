using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Load;

/// <summary>Amount, duration and bounds of a run's load.</summary>
/// <param name="WarmUp">Time that the first simulation runs before measuring begins.</param>
/// <param name="CopiesMax">Maximum iterations under way at once in an open loop. Further iterations wait.</param>
/// <param name="IterationsMax">Maximum number of iterations, warm-up included.</param>
/// <param name="Patience">Time after an open loop's last due time in which waiting iterations are still begun.</param>
internal sealed record RunPlan(
    IReadOnlyList<LoadSimulation> Simulations, TimeSpan WarmUp, int CopiesMax, long IterationsMax, TimeSpan Patience)
{
    public TimeSpan During => Simulations.Aggregate(TimeSpan.Zero, (sum, simulation) => sum + simulation.During);
}
