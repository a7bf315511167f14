using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>Where the log stood when each segment began that has a durable batch, or was there when the log was opened. Loop thread only.</summary>
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

    /// <summary>The log begins with this segment.</summary>
    public void ForgetBefore(long segment)
    {
        while (starts.Count > 0 && starts[0].Segment < segment)
            starts.PopFront();
    }

    public void Clear() => starts.Clear();

    /// <summary>
    /// The last segment that began behind an entry up to <paramref name="index"/> that is still in the log. All entries before it are
    /// in the segments before it, all after it are in this and later ones; so the log may begin here.
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
