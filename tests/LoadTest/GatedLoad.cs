using System.Diagnostics;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Tests;

/// <summary>A load whose requests are answered when the test opens the gate.</summary>
internal sealed class GatedLoad : Scenarios.Load
{
    private readonly TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long firstStarted;
    private int started;

    /// <summary>Number of requests that have been sent.</summary>
    public int Started => Volatile.Read(ref started);

    /// <summary>Timestamp at which the first request was sent.</summary>
    public long FirstStarted => Volatile.Read(ref firstStarted);

    public override int ValueBytes => 0;

    public void Open() => gate.TrySetResult();

    public override Task<Response> PrepareAsync(Target target) => Task.FromResult(Response.Connected);

    public override Copy CreateCopy(Target target, int number) => new Client(this);

    private sealed class Client(GatedLoad load) : Copy
    {
        private readonly Step[] steps =
        [
            new Step("wait", async () =>
            {
                Interlocked.CompareExchange(ref load.firstStarted, Stopwatch.GetTimestamp(), 0);
                Interlocked.Increment(ref load.started);
                await load.gate.Task;
                return Response.Answered(204, 1);
            }),
        ];

        public override IReadOnlyList<Step> Next() => steps;

        protected override void Dispose(bool disposing)
        {
        }
    }
}
