using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Tests.Peers;

/// <summary>
/// Keeps the log's lines. For an exception the real log prints a stack trace, so this one keeps a line that says so.
/// </summary>
internal sealed class RecordedLog : ILogger
{
    private readonly ConcurrentQueue<string> lines = new();

    public string[] Lines => [.. lines];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        lines.Enqueue(formatter(state, null));
        if (exception is not null)
            lines.Enqueue("STACK TRACE: " + exception);
    }
}
