using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>
/// Position of the log at the beginning of each segment that has a durable batch or existed at the opening. The
/// collection has one item a segment, so the log's size bounds it. Loop thread only.
/// </summary>
internal sealed class WalStarts
{
    private const int SegmentsAtFirst = 64;

    private readonly Ring<WalStart> starts = new(SegmentsAtFirst);

    public void Add(WalStart start)
    {
        if (starts.Count > 0 && starts.Back.Segment == start.Segment)
            return;
        Invariant.Hold(starts.Count == 0 || starts.Back.Segment < start.Segment);
        starts.PushBack(start);
    }

    /// <summary>Removes the segments before <paramref name="segment"/>, with which the log now begins.</summary>
    public void ForgetBefore(long segment)
    {
        while (starts.Count > 0 && starts[0].Segment < segment)
            starts.PopFront();
    }

    public void Clear() => starts.Clear();

    /// <summary>
    /// Finds the last segment with which the log may begin. The entry before that segment must be in the log, and have
    /// an index of at most <paramref name="index"/>. Earlier segments hold the entries up to that entry; the segment
    /// and later segments hold all later entries.
    /// </summary>
    public bool TryFind(long index, WalTerms terms, out WalStart start)
    {
        for (int i = starts.Count - 1; i > 0; i--)
        {
            start = starts[i];
            if (start.Last.Index <= index && terms.Matches(start.Last))
                return true;
        }
        start = default;
        return false;
    }
}

/// <summary>Position of the log at the beginning of a segment.</summary>
/// <param name="Last">Last entry before the segment.</param>
internal readonly record struct WalStart(long Segment, LogPosition Last);
