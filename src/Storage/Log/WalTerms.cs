using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>
/// Terms of the log's entries, as the first position of each run of entries of one term. Loop thread only.
/// </summary>
internal sealed class WalTerms
{
    private readonly List<LogPosition> runs = [];

    /// <summary>Position of the entry before the first entry that is kept.</summary>
    public LogPosition Base { get; private set; }

    public LogPosition Last { get; private set; }

    /// <summary>
    /// Appends an entry, which replaces entries at its index and later (§5.3). Returns false and changes nothing if the
    /// entry can't follow. In a replay, an entry may replace the base: the first segment's header may name an entry
    /// that was truncated later. The new entry is then the base.
    /// </summary>
    public bool TryAppend(LogPosition position)
    {
        if (position.Index < 1 || position.Index > Last.Index + 1)
            return false;
        if (position.Index <= Base.Index)
        {
            Reset(position);
            return true;
        }
        if (position.Term < TermAt(position.Index - 1))
            return false;
        while (runs.Count > 0 && runs[^1].Index >= position.Index)
            runs.RemoveAt(runs.Count - 1);
        if (runs.Count == 0 || runs[^1].Term != position.Term)
            runs.Add(position);
        Last = position;
        return true;
    }

    public bool Matches(LogPosition position) =>
        position.Index >= Base.Index && position.Index <= Last.Index && TermAt(position.Index) == position.Term;

    /// <summary>Empties the log, which continues after a position.</summary>
    public void Reset(LogPosition position)
    {
        runs.Clear();
        Base = Last = position;
    }

    /// <summary>Forgets entries up to and including <paramref name="position"/>.</summary>
    public void Forget(LogPosition position)
    {
        Invariant.Hold(Matches(position));
        int whole = 0;
        while (whole < runs.Count && LastIndexOf(whole) <= position.Index)
            whole++;
        runs.RemoveRange(0, whole);
        if (runs.Count > 0 && runs[0].Index <= position.Index)
            runs[0] = runs[0] with { Index = position.Index + 1 };
        Base = position;
    }

    public LogPosition[] ToArray() => runs.ToArray();

    private long LastIndexOf(int run) => run + 1 < runs.Count ? runs[run + 1].Index - 1 : Last.Index;

    private long TermAt(long index)
    {
        int run = runs.Count - 1;
        while (run >= 0 && runs[run].Index > index)
            run--;
        return run < 0 ? Base.Term : runs[run].Term;
    }
}
