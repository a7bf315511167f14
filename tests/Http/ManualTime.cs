namespace RaftFast.Http.Tests;

/// <summary>A clock that the test advances. Advancing runs the timers that become due.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock entry = new();
    private readonly List<ManualTimer> timers = [];
    private DateTimeOffset now = new(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (entry)
            return now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ManualTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        lock (entry)
            timers.Add(timer);
        return timer;
    }

    public void Advance(TimeSpan span)
    {
        DateTimeOffset end = GetUtcNow() + span;
        while (Next(end) is { } timer)
            timer.Run();
        lock (entry)
            now = end;
    }

    /// <summary>
    /// Advances to the first timer that is due by <paramref name="end"/>. Returns null if no timer is due by then.
    /// </summary>
    private ManualTimer? Next(DateTimeOffset end)
    {
        lock (entry)
        {
            ManualTimer? next = timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            if (next is not null && next.Due > now)
                now = next.Due;
            return next;
        }
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan interval;

        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            interval = period;
            Due = dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : time.GetUtcNow() + dueTime;
            return true;
        }

        public void Run()
        {
            Due = interval > TimeSpan.Zero ? Due + interval : DateTimeOffset.MaxValue;
            callback(state);
        }

        public void Dispose()
        {
            lock (time.entry)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
