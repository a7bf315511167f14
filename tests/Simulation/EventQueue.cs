namespace RaftFast.Simulation;

/// <summary>What happens next, by time (microseconds), then by the order of scheduling.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<Event, (long Time, long Sequence)> events = new();
    private long sequence;

    /// <summary>Simulated time, in microseconds.</summary>
    public long Now { get; private set; }

    public long Count => sequence;

    public void Schedule(long delay, Event happening) => events.Enqueue(happening, (Now + delay, sequence++));

    public bool TryNext(out Event happening)
    {
        if (!events.TryDequeue(out happening, out (long Time, long Sequence) order))
            return false;
        Now = order.Time;
        return true;
    }
}
