using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Maps each index of the log to its term, as runs of entries of one term. Terms only grow along a log and change only
/// at elections. A log of millions of entries thus has a handful of runs, and the core never reads storage.
/// Compacted entries (§7) are forgotten.
/// </summary>
public sealed class TermRuns
{
    /// <summary>
    /// First entry of each run, ascending in term and index. Terms are distinct; all are after <see cref="Base"/>.
    /// </summary>
    private readonly List<LogPosition> runs = [];

    /// <param name="base">The entry after which the log begins; (0, 0) for a whole log.</param>
    public TermRuns(LogPosition @base = default)
    {
        Base = @base;
        LastIndex = @base.Index;
    }

    /// <summary>The last compacted entry; (0, 0) if there is none.</summary>
    public LogPosition Base { get; private set; }

    public long LastIndex { get; private set; }

    public long LastTerm => runs.Count == 0 ? Base.Term : runs[^1].Term;

    /// <param name="index">An index, at least that of <see cref="Base"/>, at most LastIndex.</param>
    public long TermAt(long index)
    {
        Invariant.Hold(index >= Base.Index);
        Invariant.Hold(index <= LastIndex);
        return index == Base.Index ? Base.Term : runs[RunOf(index)].Term;
    }

    public void Append(LogPosition entry)
    {
        Invariant.Hold(entry.Index == LastIndex + 1);
        Invariant.Hold(entry.Term > 0);
        Invariant.Hold(entry.Term >= LastTerm);
        if (runs.Count == 0 || entry.Term > LastTerm)
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
        Invariant.Hold(index > Base.Index);
        if (index > LastIndex)
            return;
        while (runs.Count > 0 && runs[^1].Index >= index)
            runs.RemoveAt(runs.Count - 1);
        LastIndex = index - 1;
    }

    /// <summary>Forgets the entries up to <paramref name="index"/> (§7).</summary>
    public void CompactTo(long index)
    {
        if (index <= Base.Index)
            return;
        LogPosition compacted = new(TermAt(index), index);
        int run = RunOf(index);
        runs.RemoveRange(0, run);
        if (index < LastIndex && (runs.Count == 1 || runs[1].Index > index + 1))
            runs[0] = new LogPosition(compacted.Term, index + 1);
        else
            runs.RemoveAt(0);
        Base = compacted;
    }

    /// <summary>Empties the log, which then begins after <paramref name="base"/>.</summary>
    public void Reset(LogPosition @base)
    {
        runs.Clear();
        Base = @base;
        LastIndex = @base.Index;
    }

    /// <summary>
    /// Finds the last entry at or below <paramref name="index"/> with a term not above <paramref name="term"/>; (0, 0)
    /// if that entry is compacted. Leader and follower use this for the conflict hint (§5.3, "the optimization"):
    /// <see cref="Follower"/> and <see cref="Leader"/> say why no entries match above the found entry.
    /// </summary>
    public LogPosition LastNotAbove(long index, long term)
    {
        index = Math.Min(index, LastIndex);
        if (index < Base.Index)
            return default;
        if (index == Base.Index)
            return Base.Term <= term ? Base : default;
        int run = RunOf(index);
        if (runs[run].Term <= term)
            return new(runs[run].Term, index);
        while (run >= 0 && runs[run].Term > term)
            run--;
        if (run >= 0)
            return new(runs[run].Term, runs[run + 1].Index - 1);
        return Base.Term <= term ? Base : default;
    }

    private int RunOf(long index)
    {
        // Nearly every call is for the last run.
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
