using System.Text;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Routes each membership change: proposes it here, or sends it to the leader. A change that the leader refused for now
/// was not made, and is sent again until its time is up. Also proposes the changes that no client asks for.
/// </summary>
internal sealed class MembershipRouter(
    RaftCore core, Wal wal, ReadyExecutor executor, IPeerNetwork network, HeardPeers heard, PendingWrites pending,
    Answers answers, long firstNumber)
{
    /// <summary>Milliseconds between two attempts to make one change.</summary>
    private const long RetryMilliseconds = 50;

    /// <summary>
    /// Maximum waiting changes. Changes are made one at a time, so more changes would only wait longer.
    /// </summary>
    public const int WaitingMax = 64;

    private readonly AddressNews news = new(core, network);
    private readonly List<WaitingChange> waiting = [];

    /// <summary>Changes sent to the leader, which has not answered yet, by number.</summary>
    private readonly SortedList<long, WaitingChange> asked = [];

    /// <summary>
    /// Removals of this member itself that the leader has proposed. This member never applies that entry, but learns of
    /// its removal (<see cref="OnRemoved"/>).
    /// </summary>
    private readonly List<WaitingChange> ownRemovals = [];

    private long nextNumber = firstNumber;

    public int Count => waiting.Count + asked.Count;

    public void Add(ClientRequest request, long deadline)
    {
        MembershipChange change = new(MembershipChangeKind.Remove, request.MemberId);
        if (request.Method == ClientRequestMethod.AddMember)
        {
            string? error = "the body is no URL; a member's is like http://127.0.0.1:9021";
            int length = Math.Min(request.Body.Length, PeerAddress.UrlBytesMax + 1);
            string url = Encoding.UTF8.GetString(request.Body[..length]).Trim();
            bool isLine = url.Length <= PeerAddress.UrlBytesMax && !url.AsSpan().ContainsAnyInRange('\0', '\x1f');
            if (!isLine || PeerAddress.TryParse(url, out error) is not { } address)
            {
                answers.BadAddress(request, error!);
                return;
            }
            change = new MembershipChange(MembershipChangeKind.Add, request.MemberId, address);
        }
        if (waiting.Count + asked.Count >= WaitingMax)
            answers.Busy(request);
        else
            waiting.Add(new WaitingChange(request, change, deadline));
    }

    /// <inheritdoc cref="AddressNews.Announced"/>
    public void Announced(ulong member, PeerAddress address) => news.Announced(member, address);

    /// <inheritdoc cref="AddressNews.Configured"/>
    public void Configured(ClusterConfiguration before, ClusterConfiguration after) => news.Configured(before, after);

    public void Route(long now)
    {
        ProposeOwn();
        news.TellLeader(now, ref nextNumber);
        for (int i = 0; i < waiting.Count; i++)
        {
            WaitingChange change = waiting[i];
            if (change.NotBefore <= now && (core.IsLeader ? TryFinish(change) : TryAsk(change)))
                waiting.RemoveAt(i--);
        }
    }

    /// <summary>
    /// Proposes a change that another member asks for, and answers. This member refuses the change if it does not lead.
    /// </summary>
    public void OnRequest(in Message message, ReadOnlySpan<byte> record)
    {
        DecodeStatus status = Record.TryReadHeader(record, out RecordHeader header);
        Invariant.Hold(status == DecodeStatus.Complete);
        MembershipChange change = MembershipChange.TryRead(Record.Payload(record, header))!;
        if (change.Kind == MembershipChangeKind.Move)
        {
            // A member's new address, from AddressNews.TellLeader. The sender expects no answer.
            if (core.IsLeader && (change.Id == message.From || !IsHeard(change.Id)))
                Announced(change.Id, change.Address!);
            return;
        }
        ChangeRefusal refusal = TryPropose(change, out MissingVoters missing);
        if (refusal == ChangeRefusal.None)
            core.AwaitCommit(message.From, core.Log.Last.Index);
        bool isRefusal = refusal != ChangeRefusal.None;
        Message answer = new()
        {
            Type = MessageType.ChangeMembersResponse,
            To = message.From,
            Rejected = isRefusal,
            Position = isRefusal ? InHalves(missing.First) : core.Log.Last,
            Commit = missing.Count,
            Context = message.Context,
            Count = (int)refusal,
        };
        executor.Answer(answer, isRefusal);
    }

    public void OnResponse(in Message response, long now)
    {
        if (!asked.TryGetValue(response.Context, out WaitingChange? change) || change.AskedOf != response.From)
            return;
        asked.Remove(response.Context);
        if (response.Rejected)
        {
            change.NotBefore = now + RetryMilliseconds;
            MissingVoters missing = new(OfHalves(response.Position), (int)Math.Min(response.Commit, int.MaxValue));
            if (!IsFinal(change, (ChangeRefusal)response.Count, missing))
                waiting.Add(change);
        }
        else if (change.Change is { Kind: MembershipChangeKind.Remove } && change.Change.Id == core.Id)
        {
            ownRemovals.Add(change);
        }
        else
        {
            pending.Placed(change.Request, response.Position, change.Deadline, core.Log);
        }
    }

    /// <summary>True while a change waits for this answer.</summary>
    public bool Awaits(in Message response) =>
        asked.TryGetValue(response.Context, out WaitingChange? change) && change.AskedOf == response.From;

    /// <summary>
    /// A connection with this peer broke: changes sent to it may have arrived, and its answers may be lost.
    /// </summary>
    public void PeerLost(ulong peer)
    {
        for (int i = 0; i < asked.Count; i++)
        {
            if (asked.GetValueAtIndex(i).AskedOf == peer)
                GiveUp(ref i);
        }
    }

    public void Expire(long now)
    {
        for (int i = waiting.Count - 1; i >= 0; i--)
        {
            if (waiting[i].Deadline > now)
                continue;
            if (waiting[i].LastRefusal == ChangeRefusal.ChangeUnderWay)
                answers.Refused(waiting[i].Request, ChangeRefusal.ChangeUnderWay);
            else
                answers.NotDone(waiting[i].Request, NotDoneReason.NoLeader);
            waiting.RemoveAt(i);
        }
        for (int i = 0; i < asked.Count; i++)
        {
            if (asked.GetValueAtIndex(i).Deadline <= now)
                GiveUp(ref i);
        }
        for (int i = ownRemovals.Count - 1; i >= 0; i--)
        {
            if (ownRemovals[i].Deadline > now)
                continue;
            answers.OutcomeUnknown(ownRemovals[i].Request);
            ownRemovals.RemoveAt(i);
        }
    }

    /// <summary>
    /// This member has been removed: a request for that removal is fulfilled, and no other request can be.
    /// </summary>
    public void OnRemoved()
    {
        foreach (WaitingChange change in waiting)
        {
            if (change.Change.Kind == MembershipChangeKind.Remove && change.Change.Id == core.Id)
                answers.Done(change.Request, default);
            else
                answers.NotDone(change.Request, NotDoneReason.MemberRemoved);
        }
        foreach (WaitingChange change in ownRemovals)
            answers.Done(change.Request, default);
        waiting.Clear();
        ownRemovals.Clear();
    }

    private void GiveUp(ref int i)
    {
        answers.OutcomeUnknown(asked.GetValueAtIndex(i).Request);
        asked.RemoveAt(i--);
    }

    private bool TryFinish(WaitingChange change)
    {
        ChangeRefusal refusal = TryPropose(change.Change, out MissingVoters missing);
        if (refusal != ChangeRefusal.None)
            return IsFinal(change, refusal, missing);
        pending.Add(change.Request, core.Log.Last, change.Deadline);
        return true;
    }

    private bool TryAsk(WaitingChange change)
    {
        ulong leader = core.LeaderId;
        // While the leader is not heard, the change waits, because the leader's answer would be lost.
        if (leader == 0 || !heard.Has(leader) || !network.CanSend(leader))
            return false;
        Message message = new()
        {
            Type = MessageType.ChangeMembers,
            From = core.Id,
            To = leader,
            Context = nextNumber,
            Count = 1,
        };
        if (!network.Send(message, change.Change.ToRecord()))
            return false;
        change.AskedOf = leader;
        asked.Add(nextNumber++, change);
        return true;
    }

    /// <summary>Answers the request, unless the change may be made later.</summary>
    /// <returns>False when another attempt may succeed.</returns>
    private bool IsFinal(WaitingChange change, ChangeRefusal refusal, MissingVoters missing)
    {
        change.LastRefusal = refusal;
        if (refusal is ChangeRefusal.NotNow or ChangeRefusal.ChangeUnderWay)
            return false;
        answers.Refused(change.Request, refusal, missing);
        return true;
    }

    /// <returns>None when the change has been proposed: its configuration is the log's last entry.</returns>
    private ChangeRefusal TryPropose(MembershipChange change, out MissingVoters missing)
    {
        missing = default;
        if (!core.MayChangeConfiguration)
            return core.IsChangingConfiguration ? ChangeRefusal.ChangeUnderWay : ChangeRefusal.NotNow;
        ClusterConfiguration current = core.Configuration.Cluster;
        ChangeRefusal refusal = MembershipPolicy.Plan(current, change, out ClusterConfiguration next);
        if (refusal == ChangeRefusal.None)
            refusal = MembershipPolicy.Admit(core, next, out missing);
        if (refusal != ChangeRefusal.None)
            return refusal;
        if (next.Find(core.Id) is null)
        {
            core.HandOver();
            return ChangeRefusal.NotNow;
        }
        return TryPropose(next) ? ChangeRefusal.None : wal.DiskIsFull ? ChangeRefusal.DiskFull : ChangeRefusal.NotNow;
    }

    /// <summary>
    /// True if the leader hears the member itself. The member's own handshake is then newer than reports of other
    /// members. A member whose log stands still, as on a full disk, keeps and repeats an old address.
    /// </summary>
    private bool IsHeard(ulong member) => member == core.Id || core.HasHeard(member);

    /// <summary>
    /// Proposes changes that no client asks for: the core's next configuration, then a move to an announced address.
    /// </summary>
    private void ProposeOwn()
    {
        if (core.NextConfiguration() is { } next)
            TryPropose(next);
        if (core.MayChangeConfiguration && news.NextMove() is { } moved)
            TryPropose(moved);
    }

    /// <summary>Puts an id into a message, whose fields don't hold 64 bits.</summary>
    private static LogPosition InHalves(ulong id) => new((long)(id >> 32), (uint)id);

    private static ulong OfHalves(LogPosition halves) => ((ulong)halves.Term << 32) | (uint)halves.Index;

    private bool TryPropose(ClusterConfiguration next)
    {
        byte[] record = ConfigurationRecord.Write(next);
        if (!wal.HasRoom(record.Length) && !wal.HasRoomInReserve(record.Length))
            return false;
        core.ProposeConfiguration(next, record.Length);
        executor.PersistProposal(record);
        return true;
    }

    private sealed class WaitingChange(ClientRequest request, MembershipChange change, long deadline)
    {
        public ClientRequest Request { get; } = request;

        public MembershipChange Change { get; } = change;

        public long Deadline { get; } = deadline;

        /// <summary>Time before which the change is not tried again.</summary>
        public long NotBefore { get; set; }

        /// <summary>The leader that was asked last.</summary>
        public ulong AskedOf { get; set; }

        public ChangeRefusal LastRefusal { get; set; }
    }
}
