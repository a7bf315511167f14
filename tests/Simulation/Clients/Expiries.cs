namespace RaftFast.Simulation.Clients;

/// <summary>
/// Values that were written with a time to live. A history learns of a value's expiry at the first moment at which the
/// value may expire: after the time to live, counted from the request on the fastest clock.
/// </summary>
/// <param name="tell">Tells the history of a key and the value that it may lose.</param>
internal sealed class Expiries(Cluster cluster, Action<int, int> tell)
{
    /// <summary>
    /// Microseconds by which a value may expire early: log time is in whole milliseconds, and each change of the leader
    /// may round once more.
    /// </summary>
    private const long Tolerance = 10_000;

    private readonly PriorityQueue<(int Key, int Value), long> due = new();

    /// <summary>Microseconds of simulated time in which the fastest clock measures one second.</summary>
    private long SecondMin => 10_000L * (100 - cluster.Scenario.ClockSkewPercent);

    public void Add(int key, int value, int seconds) =>
        due.Enqueue((key, value), cluster.Events.Now + (seconds * SecondMin) - Tolerance);

    /// <summary>Tells the history of the values that may expire from now on. Called before each event of the
    /// history.</summary>
    public void Advance()
    {
        while (due.TryPeek(out (int Key, int Value) next, out long time) && time <= cluster.Events.Now)
        {
            due.Dequeue();
            tell(next.Key, next.Value);
        }
    }
}
