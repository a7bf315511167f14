using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Linearizable reads (thesis §6.4). All waiting reads share one request for a read index. Once the index is confirmed
/// and applied here, the reads are answered from local state. One request is outstanding at a time. A request that gets
/// no answer is made again, with a fresh context. A read may then wait for a change of its key. A read that accepts
/// stale state is answered at once, if the state is young enough.
/// </summary>
internal sealed class PendingReads(
    RaftCore core, StateMachine state, Answers answers, long firstNumber, long requestTimeout)
{
    /// <summary>
    /// Ticks after which an unanswered request is made again: three heartbeats, which a lost message costs a read.
    /// </summary>
    private const int TicksToRetry = 15;

    /// <summary>
    /// Maximum bytes of values copied in one batch of the loop; a larger value is copied alone. Without a bound a batch
    /// could take longer than an election timeout.
    /// </summary>
    private const int CopyBytesMax = 256 * 1024;

    /// <summary>Maximum bytes of a value that does not wait for larger values before it.</summary>
    private const int SmallBytesMax = 16 * 1024;

    private readonly Queue<PendingRead> confirmed = new(256);

    /// <summary>Reads that the state may answer as it is: they accept its age, or have waited for a change.</summary>
    private readonly Queue<PendingRead> stale = new();

    /// <summary>Confirmed reads of values that are not small.</summary>
    private readonly Queue<PendingRead> large = new();

    /// <summary>Reads whose value waits until the clients have taken other answers.</summary>
    private readonly Queue<PendingRead> withoutRoom = new();

    /// <summary>
    /// Connections of the reads in <see cref="withoutRoom"/>, with their number. Answers leave in the order of the
    /// requests: if a later read of a connection took the room, its answer would keep the room and never leave.
    /// </summary>
    private readonly Dictionary<IRequestOwner, int> lacking = [];

    /// <summary>Connections with a read for which the present pass has found no room.</summary>
    private readonly Dictionary<IRequestOwner, bool> blocked = [];
    private readonly WaitingReads changes = new(state);
    private readonly List<ClientRequest> woken = [];
    private readonly StateAge age = new();
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
    private long now;
    private bool isStopping;

    /// <summary>Time at which a leader was last known.</summary>
    private long ledAt;

    /// <summary>True while a confirmed read waits for the next batch.</summary>
    public bool HasMoreToAnswer => HasApplied || stale.Count > 0 || large.Count > 0;

    private bool HasApplied => confirmed.TryPeek(out PendingRead read) && read.Index <= core.Log.Applied;

    /// <summary>True while a read waits for room.</summary>
    public bool LacksRoom => withoutRoom.Count > 0;

    /// <summary>Reads that are not answered.</summary>
    public int Count =>
        waiting.Count + asking.Count + confirmed.Count + stale.Count + large.Count + withoutRoom.Count;

    /// <summary>Reads that wait until their key changes.</summary>
    public int ForChange => changes.Count;

    public void AdvanceTo(long now)
    {
        this.now = now;
        if (core.LeaderId != 0)
            ledAt = now;
    }

    public void Add(ClientRequest request)
    {
        PendingRead read = new(request, now + requestTimeout, 0);
        request.WaitUntil = now + request.WaitMilliseconds;
        if (AcceptsStale(request) && age.IsKnown && age.At(now) <= request.StaleMax)
            stale.Enqueue(read with { IsAsItIs = true });
        else if (AcceptsStale(request) && request.StaleMax == long.MaxValue)
            answers.NotDone(request, NotDoneReason.StateUnknown);
        else
            waiting.Add(read);
    }

    public void Tick()
    {
        ticksSinceAsked++;
        LookForRoom();
    }

    /// <summary>
    /// Requests an index for all waiting reads, unless a request is outstanding. A member that does not know the age of
    /// its state asks even if no read waits.
    /// </summary>
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
        bool isDue = (!isAsked && asking.Count > 0)
            || (ticksSinceAsked >= TicksToRetry && (asking.Count > 0 || !age.IsKnown));
        if (!isDue || !core.RequestRead(context + 1))
            return;
        context++;
        age.Asked(context, now);
        askedInTerm = core.Term;
        askedOf = core.LeaderId;
        ticksSinceAsked = 0;
    }

    public void Confirmed(ReadState read)
    {
        age.Confirmed(read.Context, read.Index);
        // Each request since firstContext was made for these reads, and the answer to any such request serves. On a
        // slow network the answer to the last request never arrives before the next one is made. Earlier requests were
        // not made for these reads.
        if (read.Context < firstContext || read.Context > context)
            return;
        foreach (PendingRead pending in asking)
            confirmed.Enqueue(pending with { Index = read.Index });
        asking.Clear();
    }

    /// <summary>An applied entry has changed this key.</summary>
    public void Changed(ReadOnlySpan<byte> key)
    {
        if (changes.Count == 0)
            return;
        changes.Take(key, woken);
        AnswerWoken();
    }

    /// <summary>An applied entry has deleted all keys that begin with this prefix.</summary>
    public void DeletedUnder(ReadOnlySpan<byte> prefix)
    {
        if (changes.Count == 0)
            return;
        changes.TakeUnder(prefix, woken);
        AnswerWoken();
    }

    /// <summary>An installed snapshot has replaced the state: any key may have changed.</summary>
    public void StateReplaced()
    {
        changes.TakeDue(long.MaxValue, woken);
        AnswerWoken();
    }

    /// <summary>The process stops: no read waits for a change any longer.</summary>
    public void Stop()
    {
        isStopping = true;
        EndWaits(NotDoneReason.Stopping);
    }

    /// <summary>Answers the reads whose index has been applied, up to the bound of one batch.</summary>
    public void Answer()
    {
        age.Applied(core.Log.Applied);
        int copied = 0;
        while (stale.Count > 0 && copied < CopyBytesMax)
            copied += Answer(stale.Dequeue(), SmallBytesMax);
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
        int before = withoutRoom.Count;
        ExpireInTurn(withoutRoom, now);
        if (withoutRoom.Count != before)
            CountLacking();
        if (now == long.MaxValue || (changes.Count > 0 && now - ledAt >= requestTimeout))
            EndWaits(NotDoneReason.LeaderLost);
        changes.TakeDue(now, woken);
        AnswerWoken();
    }

    private void EndWaits(NotDoneReason reason)
    {
        changes.TakeDue(long.MaxValue, woken);
        foreach (ClientRequest request in woken)
            answers.NotDone(request, reason);
        woken.Clear();
    }

    /// <summary>
    /// Queues the reads that have waited, after the reads before them. Each reads its key again, and the values may be
    /// large.
    /// </summary>
    private void AnswerWoken()
    {
        foreach (ClientRequest request in woken)
            stale.Enqueue(new PendingRead(request, now + requestTimeout, 0) { IsAsItIs = true });
        woken.Clear();
    }

    /// <summary>
    /// Answers reads for which there is room now. Visits all reads without room, so that they keep their order.
    /// </summary>
    private void LookForRoom()
    {
        int copied = 0;
        for (int looks = withoutRoom.Count; looks > 0; looks--)
        {
            PendingRead read = withoutRoom.Dequeue();
            IRequestOwner owner = read.Request.Owner;
            bool mayTry = copied < CopyBytesMax && !blocked.ContainsKey(owner);
            lacking.Remove(owner, out int count);
            if (mayTry)
                copied += Answer(read, int.MaxValue);
            else
                WaitForRoom(read);
            if (lacking.ContainsKey(owner))
                blocked.TryAdd(owner, true);
            if (count > 1)
                lacking[owner] = lacking.GetValueOrDefault(owner) + count - 1;
        }
        blocked.Clear();
    }

    private void WaitForRoom(PendingRead read)
    {
        withoutRoom.Enqueue(read);
        lacking[read.Request.Owner] = lacking.GetValueOrDefault(read.Request.Owner) + 1;
    }

    private void CountLacking()
    {
        lacking.Clear();
        foreach (PendingRead read in withoutRoom)
            lacking[read.Request.Owner] = lacking.GetValueOrDefault(read.Request.Owner) + 1;
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

    /// <summary>
    /// Answers the read, or lets it wait for a change of its key. A larger value waits for its turn, and a value
    /// without room waits for room.
    /// </summary>
    /// <returns>Number of bytes copied.</returns>
    private int Answer(PendingRead read, int bytesMax)
    {
        ClientRequest request = read.Request;
        Conditions conditions = request.Conditions;
        bool exists = state.Store.TryGet(request.Key, out ReadOnlySpan<byte> value, out long tag);
        ConditionResult result = conditions.IsEmpty ? ConditionResult.Hold : conditions.Evaluate(tag);
        bool isUnchanged = result == ConditionResult.NoneMatchFailed || (!exists && conditions.IsEmpty);
        bool mayWait = isUnchanged && request.WaitUntil > now && !request.IsAbandoned;
        if (read.IsAsItIs && AcceptsStale(request) && age.At(now) > request.StaleMax)
            waiting.Add(read with { IsAsItIs = false });
        else if (mayWait && isStopping)
            answers.NotDone(request, NotDoneReason.Stopping);
        else if (mayWait)
            changes.Add(request);
        else if (result == ConditionResult.MatchFailed)
            answers.ConditionFailed(request, tag, AgeFor(request));
        else if (result == ConditionResult.NoneMatchFailed)
            answers.NotModified(request, tag, AgeFor(request));
        else if (!exists)
            answers.NotFound(request, AgeFor(request));
        else if (value.Length > bytesMax)
            large.Enqueue(read);
        else if ((lacking.Count > 0 && lacking.ContainsKey(request.Owner)) || !request.TryHoldAnswer(value.Length))
            WaitForRoom(read);
        else
        {
            answers.Found(request, value, tag, AgeFor(request));
            return value.Length;
        }
        return 0;
    }

    /// <returns>Seconds, rounded up; -1 for an answer without Age.</returns>
    private long AgeFor(ClientRequest request) =>
        request.StaleMax < 0 || !age.IsKnown ? -1 : (age.At(now) + 999) / 1000;

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

    /// <summary>True if the request may be answered from state that is not current.</summary>
    private static bool AcceptsStale(ClientRequest request) =>
        request.StaleMax >= 0 && request.WaitMilliseconds == 0;

    private readonly record struct PendingRead(ClientRequest Request, long Deadline, long Index)
    {
        /// <summary>True for a read that the state may answer as it is.</summary>
        public bool IsAsItIs { get; init; }
    }
}
