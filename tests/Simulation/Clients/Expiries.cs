namespace RaftFast.Simulation.Clients;

/// <summary>
/// Values that were written with a time to live. The history is told of an expiry at the earliest moment at which it
/// may happen: the time to live after the request, on the fastest clock.
/// </summary>
/// <param name="tell">Called with a key and its value that may expire from now on.</param>
internal sealed class Expiries(Cluster cluster, Action<int, int> tell)
{
    private readonly PriorityQueue<(int Key, int Value), long> due = new();

    /// <summary>Microseconds of simulated time in which the fastest clock measures one second.</summary>
    private long SecondMin => 10_000L * (100 - cluster.Scenario.ClockSkewPercent);

    public void Add(int key, int value, int seconds) =>
        due.Enqueue((key, value), cluster.Events.Now + (seconds * SecondMin));

    /// <summary>
    /// Tells the history which values may expire from now on. Called before each event of the history.
    /// </summary>
    public void Advance()
    {
        while (due.TryPeek(out (int Key, int Value) next, out long time) && time <= cluster.Events.Now)
        {
            due.Dequeue();
            tell(next.Key, next.Value);
        }
    }
}
