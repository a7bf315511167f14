using RaftFast.Consensus;
using RaftFast.Http;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Linearizable reads (thesis §6.4). All waiting reads share one request for a read index. Once the index is confirmed
/// and applied here, the reads are answered from local state. One request is outstanding at a time. A request that gets
/// no answer is made again, with a fresh context.
/// </summary>
internal sealed class PendingReads(RaftCore core, StateMachine state, Answers answers, long firstNumber)
{
    /// <summary>
    /// Ticks after which an unanswered request is made again: three heartbeats, which a lost message costs a read.
    /// </summary>
    private const int TicksToRetry = 15;

    private readonly Queue<PendingRead> confirmed = new(256);
    private readonly List<PendingRead> waiting = new(256);
    private readonly List<PendingRead> asking = new(256);

    /// <summary>Context of the last request.</summary>
    private long context = firstNumber;

    /// <summary>
    /// Context of the first request for the reads in <see cref="asking"/>. Greater than <see cref="context"/> while
    /// that request has yet to be made.
    /// </summary>
    private long firstContext = firstNumber + 1;
    private long askedInTerm;
    private ulong askedOf;
    private int ticksSinceAsked;

    public void Add(ClientRequest request, long deadline) => waiting.Add(new PendingRead(request, deadline, 0));

    public void Tick() => ticksSinceAsked++;

    /// <summary>Requests an index for all waiting reads, unless a request is outstanding.</summary>
    public void Ask()
    {
        // A leader that has stepped down never answers.
        if (asking.Count == 0 || core.Term != askedInTerm || core.LeaderId != askedOf)
            firstContext = context + 1;
        bool isAsked = firstContext <= context;
        if (!isAsked)
        {
            asking.AddRange(waiting);
            waiting.Clear();
        }
        bool isDue = !isAsked || ticksSinceAsked >= TicksToRetry;
        if (asking.Count == 0 || !isDue || !core.RequestRead(context + 1))
            return;
        context++;
        askedInTerm = core.Term;
        askedOf = core.LeaderId;
        ticksSinceAsked = 0;
    }

    public void Confirmed(ReadState read)
    {
        // Each request since firstContext was made for these reads, and the answer to any such request serves. On a
        // slow network the answer to the last request never arrives before the next one is made. Earlier requests were
        // not made for these reads.
        if (read.Context < firstContext || read.Context > context)
            return;
        foreach (PendingRead pending in asking)
            confirmed.Enqueue(pending with { Index = read.Index });
        asking.Clear();
    }

    /// <summary>Answers every read whose index has been applied.</summary>
    public void Answer()
    {
        while (confirmed.TryPeek(out PendingRead read) && read.Index <= core.Log.Applied)
        {
            confirmed.Dequeue();
            if (state.Store.TryGet(read.Request.Key, out ReadOnlySpan<byte> value, out _))
                answers.Found(read.Request, value);
            else
                answers.NotFound(read.Request);
        }
    }

    public void Expire(long now)
    {
        Expire(waiting, now);
        Expire(asking, now);
        while (confirmed.TryPeek(out PendingRead read) && read.Deadline <= now)
            answers.NotDone(confirmed.Dequeue().Request, NotDoneReason.NotApplied);
    }

    private void Expire(List<PendingRead> reads, long now)
    {
        int kept = 0;
        for (int i = 0; i < reads.Count; i++)
        {
            if (reads[i].Deadline <= now)
                answers.NotDone(reads[i].Request, NotDoneReason.NoLeader);
            else
                reads[kept++] = reads[i];
        }
        reads.RemoveRange(kept, reads.Count - kept);
    }

    private readonly record struct PendingRead(ClientRequest Request, long Deadline, long Index);
}
