using System.Globalization;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Logging;

/// <summary>
/// Writes at most one line a second of each kind (<see cref="EventId"/>), with the number of further lines of that kind
/// that it stands for. Meant for events that any program that reaches a port can cause.
/// </summary>
internal sealed class LimitedLogger(ILogger inner, TimeProvider time) : ILogger
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<int, Kind> kinds = [];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel) || !TryTake(eventId.Id, out long skipped))
            return;
        if (skipped == 0)
            inner.Log(logLevel, eventId, state, exception, formatter);
        else
            inner.Log(logLevel, eventId, state, exception, (s, e) => string.Create(
                CultureInfo.InvariantCulture,
                $"{formatter(s, e)} (and {skipped} more like this since the last such line)"));
    }

    private bool TryTake(int id, out long skipped)
    {
        long now = time.GetTimestamp();
        lock (kinds)
        {
            kinds.TryGetValue(id, out Kind kind);
            skipped = kind.Skipped;
            bool isDue = !kind.IsKnown || time.GetElapsedTime(kind.Last, now) >= Interval;
            kinds[id] = isDue ? new Kind(true, now, 0) : kind with { Skipped = kind.Skipped + 1 };
            return isDue;
        }
    }

    private readonly record struct Kind(bool IsKnown, long Last, long Skipped);
}
