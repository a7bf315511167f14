using System.Diagnostics;
using System.Runtime.CompilerServices;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Load;

/// <summary>
/// The copies of a scenario, made when they are first needed; they keep their connections from one simulation to the next.
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

    /// <summary>One iteration.</summary>
    /// <param name="due">Timestamp from which the first step's latency counts; the next step is due when the one before it is done.</param>
    /// <returns>False if a step was not Ok.</returns>
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
