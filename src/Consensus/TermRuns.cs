using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Index → term for the whole log, as runs: terms only grow along a log and change only at elections, so a log of
/// millions of entries is a handful of runs, and the core never reads storage.
/// </summary>
public sealed class TermRuns
{
    /// <summary>First entry of each run, ascending in term and index. Terms are distinct.</summary>
    private readonly List<LogPosition> runs = [];

    public long LastIndex { get; private set; }

    public long LastTerm => runs.Count == 0 ? 0 : runs[^1].Term;

    /// <returns>0 for index 0.</returns>
    public long TermAt(long index)
    {
        Invariant.Hold(index >= 0);
        Invariant.Hold(index <= LastIndex);
        return index == 0 ? 0 : runs[RunOf(index)].Term;
    }

    public void Append(LogPosition entry)
    {
        Invariant.Hold(entry.Index == LastIndex + 1);
        Invariant.Hold(entry.Term > 0);
        Invariant.Hold(entry.Term >= LastTerm);
        if (entry.Term > LastTerm)
            runs.Add(entry);
        LastIndex = entry.Index;
    }

    /// <summary>Adds a run of entries of one term, up to <paramref name="lastIndex"/>.</summary>
    public void AppendRun(LogPosition first, long lastIndex)
    {
        Invariant.Hold(lastIndex >= first.Index);
        Append(first);
        LastIndex = lastIndex;
    }

    public void TruncateFrom(long index)
    {
        Invariant.Hold(index > 0);
        if (index > LastIndex)
            return;
        while (runs.Count > 0 && runs[^1].Index >= index)
            runs.RemoveAt(runs.Count - 1);
        LastIndex = index - 1;
    }

    /// <summary>
    /// The greatest entry at or below <paramref name="index"/> whose term isn't above <paramref name="term"/>: two logs
    /// whose terms differ there can't match above it, so a probe may skip to it (§5.3, "the optimization").
    /// </summary>
    public LogPosition LastNotAbove(long index, long term)
    {
        index = Math.Min(index, LastIndex);
        if (index <= 0)
            return default;
        int run = RunOf(index);
        if (runs[run].Term <= term)
            return new(runs[run].Term, index);
        while (run >= 0 && runs[run].Term > term)
            run--;
        return run < 0 ? default : new(runs[run].Term, runs[run + 1].Index - 1);
    }

    private int RunOf(long index)
    {
        // The last run is asked for nearly always.
        if (index >= runs[^1].Index)
            return runs.Count - 1;
        int low = 0;
        int high = runs.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (runs[middle].Index <= index)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }
}
