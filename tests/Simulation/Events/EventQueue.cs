namespace RaftFast.Simulation.Events;

/// <summary>Future events, ordered by time in microseconds and then by the order of scheduling.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<Event, (long Time, long Sequence)> events = new();
    private long sequence;

    /// <summary>Simulated time, in microseconds.</summary>
    public long Now { get; private set; }

    public long Count => sequence;

    public void Schedule(long delay, Event happening) => events.Enqueue(happening, (Now + delay, sequence++));

    /// <returns>False if no event happens up to <paramref name="deadline"/>.</returns>
    public bool TryNext(long deadline, out Event happening)
    {
        if (!events.TryPeek(out happening, out (long Time, long Sequence) order) || order.Time > deadline)
            return false;
        events.Dequeue();
        Now = order.Time;
        return true;
    }
}
