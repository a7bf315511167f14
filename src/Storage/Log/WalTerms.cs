using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>The terms of the log's entries, as the first position of each extent of one term.</summary>
internal sealed class WalTerms
{
    private readonly List<LogPosition> extents = [];

    /// <summary>Of the entry before the first that is kept.</summary>
    public LogPosition Base { get; private set; }

    public LogPosition Last { get; private set; }

    /// <summary>
    /// §5.3: an entry replaces what stands at its index and after it. False, and nothing changed, if it can't stand there. In a replay
    /// one may replace the base, whose segment was begun with an entry that was truncated later: then it is the base itself.
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
        while (extents.Count > 0 && extents[^1].Index >= position.Index)
            extents.RemoveAt(extents.Count - 1);
        if (extents.Count == 0 || extents[^1].Term != position.Term)
            extents.Add(position);
        Last = position;
        return true;
    }

    public bool Matches(LogPosition position) =>
        position.Index >= Base.Index && position.Index <= Last.Index && TermAt(position.Index) == position.Term;

    /// <summary>The log is empty, and goes on behind a position.</summary>
    public void Reset(LogPosition position)
    {
        extents.Clear();
        Base = Last = position;
    }

    /// <summary>Entries up to this one are no longer kept.</summary>
    public void Forget(LogPosition position)
    {
        Invariant.Hold(Matches(position));
        int whole = 0;
        while (whole < extents.Count && (whole + 1 < extents.Count ? extents[whole + 1].Index - 1 : Last.Index) <= position.Index)
            whole++;
        extents.RemoveRange(0, whole);
        if (extents.Count > 0 && extents[0].Index <= position.Index)
            extents[0] = extents[0] with { Index = position.Index + 1 };
        Base = position;
    }

    public LogPosition[] ToArray() => extents.ToArray();

    private long TermAt(long index)
    {
        int extent = extents.Count - 1;
        while (extent >= 0 && extents[extent].Index > index)
            extent--;
        return extent < 0 ? Base.Term : extents[extent].Term;
    }
}
