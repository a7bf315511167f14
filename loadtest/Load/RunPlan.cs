using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Load;

/// <summary>How much load, for how long, and what bounds it.</summary>
/// <param name="WarmUp">For so long the first simulation runs before anything counts.</param>
/// <param name="CopiesMax">Of an open loop: so many iterations are under way at once, the others wait.</param>
/// <param name="IterationsMax">No more are begun, warm-up included.</param>
/// <param name="Patience">How long an open loop works off what waits after its last iteration was due.</param>
internal sealed record RunPlan(
    IReadOnlyList<LoadSimulation> Simulations, TimeSpan WarmUp, int CopiesMax, long IterationsMax, TimeSpan Patience)
{
    public TimeSpan During => Simulations.Aggregate(TimeSpan.Zero, (sum, simulation) => sum + simulation.During);
}
