using RaftFast.Protocol;

namespace RaftFast.Storage;

/// <summary>The terms of the log's entries, as the first position of each run of one term.</summary>
internal sealed class WalTerms
{
    private readonly List<LogPosition> runs = [];

    public LogPosition Last { get; private set; }

    /// <summary>§5.3: an entry replaces what stands at its index and after it. False, and nothing changed, if it can't stand there.</summary>
    public bool TryAppend(LogPosition position)
    {
        if (position.Index < 1 || position.Index > Last.Index + 1 || position.Term < TermAt(position.Index - 1))
            return false;
        while (runs.Count > 0 && runs[^1].Index >= position.Index)
            runs.RemoveAt(runs.Count - 1);
        if (runs.Count == 0 || runs[^1].Term != position.Term)
            runs.Add(position);
        Last = position;
        return true;
    }

    public LogPosition[] ToArray() => runs.ToArray();

    private long TermAt(long index)
    {
        int run = runs.Count - 1;
        while (run >= 0 && runs[run].Index > index)
            run--;
        return run < 0 ? 0 : runs[run].Term;
    }
}
