using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// Time from the batch of the loop in which the leader proposed an entry to the batch that found the entry committed.
/// </summary>
internal sealed class CommitLatency(Histogram latency)
{
    /// <summary>
    /// Maximum marks of proposals that are not committed: one for each append in flight, and a few more. At the
    /// maximum, the last mark also stands for later proposals.
    /// </summary>
    private const int MarksMax = 1024;

    private readonly Mark[] marks = new Mark[MarksMax];
    private long first;
    private long end;
    private long term;
    private long proposed;
    private long committed;

    /// <summary>Notes what this leader has proposed and committed by now.</summary>
    public void Leads(long term, long lastIndex, long committed, long now)
    {
        if (term != this.term)
        {
            // Entries of earlier terms have no times here.
            (this.term, first, end) = (term, 0, 0);
            (proposed, this.committed) = (lastIndex, Math.Max(committed, lastIndex));
            return;
        }
        if (lastIndex > proposed)
            Propose(lastIndex, now);
        while (first < end && this.committed < committed)
        {
            Mark mark = marks[first % MarksMax];
            long to = Math.Min(mark.LastIndex, committed);
            if (to > this.committed)
                latency.Record(now - mark.Time, to - this.committed);
            this.committed = Math.Max(this.committed, to);
            if (mark.LastIndex <= committed)
                first++;
        }
    }

    private void Propose(long lastIndex, long now)
    {
        proposed = lastIndex;
        if (end - first == MarksMax)
            marks[(end - 1) % MarksMax].LastIndex = lastIndex;
        else
            marks[end++ % MarksMax] = new Mark { LastIndex = lastIndex, Time = now };
        Invariant.Hold(end - first <= MarksMax);
    }

    private struct Mark
    {
        public long LastIndex;
        public long Time;
    }
}
