using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Logging;

/// <summary>
/// One event as one line: <c>2026-01-02T03:04:05.678Z info raft: became leader in term 3</c>. Control characters are
/// escaped, so that the text of a message can't begin a line of its own.
/// </summary>
internal static class LogLine
{
    /// <param name="withExceptionType">True to write the exception's type before its message.</param>
    public static string Format(
        DateTime utc, LogLevel level, string category, string message, Exception? exception, bool withExceptionType)
    {
        StringBuilder line = new();
        line.Append(utc.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        line.Append(' ').Append(Name(level)).Append(' ');
        AppendEscaped(line, category.AsSpan(category.LastIndexOf('.') + 1));
        line.Append(": ");
        AppendEscaped(line, message);
        if (exception is not null)
        {
            line.Append(": ");
            if (withExceptionType)
                line.Append(exception.GetType()).Append(": ");
            AppendEscaped(line, exception.Message);
        }
        return line.Append('\n').ToString();
    }

    /// <summary>Writes each control character and line separator of the text as \n, \r, \t or \uXXXX.</summary>
    public static string Escape(string text)
    {
        StringBuilder line = new(text.Length);
        AppendEscaped(line, text);
        return line.ToString();
    }

    private static void AppendEscaped(StringBuilder line, ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsControl(c) && c is not ('\u2028' or '\u2029'))
                line.Append(c);
            else if (c == '\n')
                line.Append("\\n");
            else if (c == '\r')
                line.Append("\\r");
            else if (c == '\t')
                line.Append("\\t");
            else
                line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
