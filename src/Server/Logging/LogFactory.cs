using System.Text;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Logging;

/// <summary>Makes loggers that write one line an event (<see cref="LogLine"/>) to one stream.</summary>
internal sealed class LogFactory(Stream output, LogLevel minimum) : ILoggerFactory
{
    private readonly Lock gate = new();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the log has one form and one place");

    public void Dispose()
    {
    }

    private void Write(string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        lock (gate)
        {
            try
            {
                output.Write(bytes);
            }
            catch (IOException)
            {
                // Where the log can't be written (a full disk behind 2>file), the node goes on without it.
            }
        }
    }

    private sealed class Logger(LogFactory factory, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= factory.Minimum && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                factory.Write(LogLine.Format(
                    DateTime.UtcNow, logLevel, category, formatter(state, exception), exception, factory.Minimum <= LogLevel.Debug));
        }
    }

    private LogLevel Minimum => minimum;
}
