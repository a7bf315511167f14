namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// The reason that a process gives when it refuses to start: one line on stderr, not an event of the log.
/// </summary>
internal static class Complaint
{
    private const string Prefix = "raftfast: ";

    /// <summary>
    /// Returns the reason. Asserts that it is the only line besides events, and that stdout is empty.
    /// </summary>
    public static string Single(ServerProcess process)
    {
        string[] lines = [.. process.Lines.Where(line => !IsEvent(line))];
        Assert.True(
            lines.Length == 1 && lines[0].StartsWith(Prefix, StringComparison.Ordinal),
            $"one line that begins with '{Prefix}', not {lines.Length}: {process}");
        Assert.Empty(process.Output);
        return lines[0][Prefix.Length..];
    }

    /// <summary>True if the line begins with a time, as events do: 2026-01-02T03:04:05.678Z.</summary>
    private static bool IsEvent(string line) => line.Length > 24 && line[10] == 'T' && line[23] == 'Z';
}
