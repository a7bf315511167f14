using System.Collections.Concurrent;
using NBomber.Contracts;
using NBomber.CSharp;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Simulations;
using Answer = NBomber.CSharp.Response;
using LoadSimulation = RaftFast.LoadTest.Simulations.LoadSimulation;
using NBomberScenario = NBomber.CSharp.Scenario;
using NBomberSimulation = NBomber.Contracts.LoadSimulation;
using NBomberStep = NBomber.CSharp.Step;
using Scenario = RaftFast.LoadTest.Scenarios.Scenario;

namespace RaftFast.LoadTest.NBomber;

/// <summary>A scenario of RaftFast as a scenario of NBomber.</summary>
/// <param name="copiesMax">
/// Maximum iterations that run at once. NBomber has no such bound for an open loop: while a server stalls, each request
/// would open a connection. Further iterations wait. The wait counts in the latency of the scenario, not in the latency
/// of its steps.
/// </param>
internal sealed class HostedScenario(Scenario scenario, Target target, int copiesMax) : IDisposable
{
    private readonly SemaphoreSlim places = new(copiesMax);

    /// <summary>
    /// Copies that no iteration uses. NBomber numbers its own copies anew for warm-up and run, and for closed and open
    /// loops, so two iterations can have one number at the same time.
    /// </summary>
    private readonly ConcurrentStack<Copy> idle = new();

    private int copies;
    private int begun;

    /// <summary>Called once, when the first measured iteration begins.</summary>
    public Action OnBegin { private get; init; } = () => { };

    public ScenarioProps Create(IEnumerable<LoadSimulation> simulations, TimeSpan warmUp)
    {
        ScenarioProps props = NBomberScenario.Create(scenario.Name, RunAsync)
            .WithInit(async _ =>
            {
                Scenarios.Response ready = await scenario.Load.PrepareAsync(target);
                if (!ready.IsOk)
                {
                    throw new InvalidOperationException(
                        $"{string.Join(", ", target.Members)} is not ready for load: {ready.Status}");
                }
            })
            .WithLoadSimulations([.. simulations.Select(ToNBomber)])
            // Otherwise NBomber throws at each failed step, and stops at the 5,000th.
            .WithRestartIterationOnFail(false)
            .WithMaxFailCount(int.MaxValue);
        return warmUp > TimeSpan.Zero ? props.WithWarmUpDuration(warmUp) : props.WithoutWarmUp();
    }

    public void Dispose()
    {
        places.Dispose();
        while (idle.TryPop(out Copy? copy))
            copy.Dispose();
    }

    private async Task<IResponse> RunAsync(IScenarioContext context)
    {
        bool isMeasured = context.ScenarioInfo.ScenarioOperation == ScenarioOperation.Bombing;
        if (isMeasured && Interlocked.Exchange(ref begun, 1) == 0)
            OnBegin();
        await places.WaitAsync();
        if (!idle.TryPop(out Copy? copy))
            copy = scenario.Load.CreateCopy(target, Interlocked.Increment(ref copies) - 1);
        try
        {
            return await RunAsync(copy, context);
        }
        finally
        {
            idle.Push(copy);
            places.Release();
        }
    }

    private static async Task<IResponse> RunAsync(Copy copy, IScenarioContext context)
    {
        foreach (Scenarios.Step step in copy.Next())
        {
            Response<object> response = await NBomberStep.Run(step.Name, context, async () =>
            {
                Scenarios.Response came = await step.RunAsync();
                return came.IsOk
                    ? Answer.Ok(statusCode: came.Status, sizeBytes: came.Bytes)
                    : Answer.Fail(statusCode: came.Status, sizeBytes: came.Bytes, message: came.Status);
            });
            if (response.IsError)
                return Answer.Fail(statusCode: response.StatusCode, message: response.Message);
        }
        return Answer.Ok();
    }

    private static NBomberSimulation ToNBomber(LoadSimulation simulation) => simulation switch
    {
        KeepConstant keep => Simulation.KeepConstant(keep.Copies, keep.During),
        RampingConstant ramp => Simulation.RampingConstant(ramp.Copies, ramp.During),
        Inject inject => Simulation.Inject(inject.Rate, inject.Interval, inject.During),
        RampingInject ramp => Simulation.RampingInject(ramp.Rate, ramp.Interval, ramp.During),
        Pause pause => Simulation.Pause(pause.During),
        _ => throw new ArgumentOutOfRangeException(nameof(simulation), simulation, "NBomber has no such simulation"),
    };
}
