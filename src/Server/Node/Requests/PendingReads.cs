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

    /// <summary>
    /// Maximum bytes of values copied in one batch of the loop, or one value. Without a bound a batch could take longer
    /// than an election timeout.
    /// </summary>
    private const int CopyBytesMax = 256 * 1024;

    /// <summary>Maximum bytes of a value that does not wait for larger values before it.</summary>
    private const int SmallBytesMax = 16 * 1024;

    /// <summary>Maximum looks, at each tick, for room for a value that had none.</summary>
    private const int LooksForRoomMax = 1024;

    private readonly Queue<PendingRead> confirmed = new(256);

    /// <summary>Confirmed reads of values that are not small.</summary>
    private readonly Queue<PendingRead> large = new();

    /// <summary>Reads whose value waits until the clients have taken other answers.</summary>
    private readonly Queue<PendingRead> withoutRoom = new();
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

    /// <summary>True while a confirmed read waits for the next batch.</summary>
    public bool HasMoreToAnswer => HasApplied || large.Count > 0;

    private bool HasApplied => confirmed.TryPeek(out PendingRead read) && read.Index <= core.Log.Applied;

    /// <summary>True while a read waits for room.</summary>
    public bool LacksRoom => withoutRoom.Count > 0;

    /// <summary>Reads that are not answered.</summary>
    public int Count => waiting.Count + asking.Count + confirmed.Count + large.Count + withoutRoom.Count;

    public void Add(ClientRequest request, long deadline) => waiting.Add(new PendingRead(request, deadline, 0));

    public void Tick()
    {
        ticksSinceAsked++;
        int looks = Math.Min(withoutRoom.Count, LooksForRoomMax);
        for (int copied = 0; looks > 0 && copied < CopyBytesMax; looks--)
            copied += Answer(withoutRoom.Dequeue(), int.MaxValue);
    }

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

    /// <summary>Answers the reads whose index has been applied, as many as one batch may.</summary>
    public void Answer()
    {
        int copied = 0;
        while (HasApplied && copied < CopyBytesMax)
            copied += Answer(confirmed.Dequeue(), SmallBytesMax);
        while (large.Count > 0 && copied < CopyBytesMax)
            copied += Answer(large.Dequeue(), int.MaxValue);
    }

    public void Expire(long now)
    {
        Expire(waiting, now);
        Expire(asking, now);
        while (confirmed.TryPeek(out PendingRead read) && read.Deadline <= now)
            answers.NotDone(confirmed.Dequeue().Request, NotDoneReason.NotApplied);
        ExpireInTurn(large, now);
        ExpireInTurn(withoutRoom, now);
    }

    private void ExpireInTurn(Queue<PendingRead> reads, long now)
    {
        for (int i = reads.Count; i > 0; i--)
        {
            PendingRead read = reads.Dequeue();
            if (read.Deadline <= now || read.Request.IsAbandoned)
                answers.NotDone(read.Request, NotDoneReason.NoRoom);
            else
                reads.Enqueue(read);
        }
    }

    /// <summary>Answers the read. A larger value waits for its turn, and a value without room waits for room.</summary>
    /// <returns>Number of bytes copied.</returns>
    private int Answer(PendingRead read, int bytesMax)
    {
        if (!state.Store.TryGet(read.Request.Key, out ReadOnlySpan<byte> value, out _))
        {
            answers.NotFound(read.Request);
            return 0;
        }
        if (value.Length > bytesMax)
        {
            large.Enqueue(read);
            return 0;
        }
        if (!read.Request.TryHoldAnswer(value.Length))
        {
            withoutRoom.Enqueue(read);
            return 0;
        }
        answers.Found(read.Request, value);
        return value.Length;
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
