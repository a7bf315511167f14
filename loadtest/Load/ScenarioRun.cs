using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Load;

/// <summary>Runs a load: the warm-up, then the simulations in order.</summary>
internal sealed class ScenarioRun(RunPlan plan, Measurements measurements)
{
    private int copiesBefore;
    private double rateBefore;

    /// <param name="disturb">Begins when recording begins. The disturbance is cancelled if the load ends early.</param>
    public async Task RunAsync(
        Scenarios.Load load, Target target, Func<CancellationToken, Task> disturb, CancellationToken cancellation)
    {
        Budget budget = new(plan.IterationsMax);
        using Copies copies = new(load, target, measurements, budget);
        ClosedLoop closed = new(copies);
        OpenLoop open = new(copies, plan.CopiesMax, plan.Patience);
        if (plan.WarmUp > TimeSpan.Zero)
            await SimulateAsync(plan.Simulations[0] with { During = plan.WarmUp }, closed, open, cancellation);
        copiesBefore = 0;
        rateBefore = 0;
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        measurements.Begin();
        Task disturbing = disturb(ended.Token);
        foreach (LoadSimulation simulation in plan.Simulations)
            await SimulateAsync(simulation, closed, open, cancellation);
        measurements.End();
        if (budget.IsSpent || cancellation.IsCancellationRequested)
            await ended.CancelAsync();
        try
        {
            await disturbing;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The load ended before the disturbance.
        }
    }

    private async Task SimulateAsync(
        LoadSimulation simulation, ClosedLoop closed, OpenLoop open, CancellationToken cancellation)
    {
        switch (simulation)
        {
            case KeepConstant keep:
                await closed.RunAsync(keep.Copies, keep.Copies, keep.During, cancellation);
                (copiesBefore, rateBefore) = (keep.Copies, 0);
                break;
            case RampingConstant ramp:
                await closed.RunAsync(copiesBefore, ramp.Copies, ramp.During, cancellation);
                (copiesBefore, rateBefore) = (ramp.Copies, 0);
                break;
            case Inject inject:
                rateBefore = inject.Rate / inject.Interval.TotalSeconds;
                copiesBefore = 0;
                await open.RunAsync(new DueTimes(rateBefore, rateBefore, inject.During), cancellation);
                break;
            case RampingInject ramp:
                double rate = ramp.Rate / ramp.Interval.TotalSeconds;
                await open.RunAsync(new DueTimes(rateBefore, rate, ramp.During), cancellation);
                (copiesBefore, rateBefore) = (0, rate);
                break;
            default:
                await Task.Delay(simulation.During, cancellation)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                measurements.Rest();
                (copiesBefore, rateBefore) = (0, 0);
                break;
        }
    }
}
