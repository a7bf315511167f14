using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Logging;

/// <summary>Makes loggers that write one line an event (<see cref="LogLine"/>).</summary>
internal sealed class LogFactory(LineWriter lines, LogLevel minimum) : ILoggerFactory
{
    private LogLevel Minimum => minimum;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("the log has one form and one place");

    public void Dispose() => lines.Drain(LineWriter.ExitWait);

    private void Write(string line) => lines.Write(line);

    private sealed class Logger(LogFactory factory, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= factory.Minimum && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                factory.Write(LogLine.Format(
                    DateTime.UtcNow, logLevel, category, formatter(state, exception), exception,
                    factory.Minimum <= LogLevel.Debug));
        }
    }
}
