using System.Diagnostics;
using System.Runtime.CompilerServices;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Load;

/// <summary>
/// The copies of a scenario, created when they are first needed. The copies keep their connections between simulations.
/// </summary>
internal sealed class Copies(Scenarios.Load load, Target target, Measurements measurements, Budget budget) : IDisposable
{
    private readonly List<Copy> copies = [];

    public Measurements Measurements => measurements;

    public Budget Budget => budget;

    public Copy this[int number]
    {
        get
        {
            lock (copies)
            {
                while (copies.Count <= number)
                    copies.Add(load.CreateCopy(target, copies.Count));
                return copies[number];
            }
        }
    }

    /// <summary>Runs one iteration, up to the first step that is not Ok. Returns false if a step was not Ok.</summary>
    /// <param name="due">
    /// Start of the first step's latency. Each further step is due when the previous one is done.
    /// </param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> IterateAsync(Copy copy, long due)
    {
        IReadOnlyList<Step> steps = copy.Next();
        for (int i = 0; i < steps.Count; i++)
        {
            Response response = await steps[i].RunAsync();
            long done = Stopwatch.GetTimestamp();
            measurements.Record(steps[i].Name, response, due, done);
            if (!response.IsOk)
                return false;
            due = done;
        }
        return true;
    }

    public void Dispose()
    {
        foreach (Copy copy in copies)
            copy.Dispose();
    }
}
