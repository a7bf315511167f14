using System.Text;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Gives each request to change the members its way: proposed here, or sent to the leader, again and again while that says
/// "not now" and so has done nothing; and proposes what the leader owes of its own accord.
/// </summary>
internal sealed class MembershipRouter(
    RaftCore core, Wal wal, ReadyExecutor executor, IPeerNetwork network, PendingWrites pending, Answers answers, long firstNumber)
{
    /// <summary>Between two attempts to send one request.</summary>
    private const long RetryMilliseconds = 50;

    /// <summary>Requests at once; changes take turns, so that more would only wait.</summary>
    private const int WaitingMax = 64;

    private readonly List<WaitingChange> waiting = [];
    private readonly Dictionary<long, WaitingChange> asked = [];

    /// <summary>This member's own removal, proposed: it will not apply that entry, but be told.</summary>
    private readonly List<WaitingChange> ownRemovals = [];

    /// <summary>Where members have said that they are to be found.</summary>
    private readonly SortedList<ulong, PeerAddress> announced = [];

    private long nextNumber = firstNumber;

    /// <summary>Some of that is not what the configuration says.</summary>
    private bool hasNews;
    private long nextTelling;

    public void Add(ClientRequest request, long deadline)
    {
        MembershipChange change = new(MembershipChangeKind.Remove, request.MemberId);
        if (request.Method == ClientRequestMethod.AddMember)
        {
            string? error = "the body is no URL; a member's is like http://127.0.0.1:9021";
            string url = Encoding.UTF8.GetString(request.Body[..Math.Min(request.Body.Length, PeerAddress.UrlBytesMax + 1)]).Trim();
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

    /// <summary>A member is to be found at this address, whatever the configuration says.</summary>
    public void Announced(ulong member, PeerAddress address)
    {
        announced[member] = address;
        LookForNews();
    }

    /// <summary>Another configuration is in effect. Where it moves a member, that is later news than what the member said.</summary>
    public void Configured(ClusterConfiguration before, ClusterConfiguration after)
    {
        foreach (Member member in after.Members)
        {
            bool isMoved = before.Find(member.Id) is { } former && former.Address != member.Address;
            if (isMoved && member.Id != core.Id)
                announced.Remove(member.Id);
        }
        LookForNews();
    }

    public void Route(long now)
    {
        ProposeOwn();
        if (hasNews && !core.IsLeader && now >= nextTelling)
            TellLeader(now);
        for (int i = 0; i < waiting.Count; i++)
        {
            WaitingChange change = waiting[i];
            if (change.NotBefore <= now && (core.IsLeader ? TryFinish(change) : TryAsk(change)))
                waiting.RemoveAt(i--);
        }
    }

    /// <summary>Another member asks this one, which should be the leader.</summary>
    public void OnRequest(in Message message, ReadOnlySpan<byte> record)
    {
        // As in WriteRouter.OnForward.
        if (core.Term == 0)
            return;
        DecodeStatus status = Record.TryReadHeader(record, out RecordHeader header);
        Invariant.Hold(status == DecodeStatus.Complete);
        MembershipChange change = MembershipChange.TryRead(Record.Payload(record, header))!;
        if (change.Kind == MembershipChangeKind.Move)
        {
            // It is told again until the configuration says so.
            Announced(change.Id, change.Address!);
            return;
        }
        ChangeRefusal refusal = TryPropose(change);
        if (refusal == ChangeRefusal.None)
            core.AwaitCommit(message.From, core.Log.Last.Index);
        core.Ready.Messages.Add(new Message
        {
            Type = MessageType.ChangeMembersResponse,
            From = core.Id,
            To = message.From,
            Term = core.Term,
            Rejected = refusal != ChangeRefusal.None,
            Position = refusal == ChangeRefusal.None ? core.Log.Last : default,
            Context = message.Context,
            Count = (int)refusal,
        });
    }

    public void OnResponse(in Message response, long now)
    {
        if (!asked.TryGetValue(response.Context, out WaitingChange? change) || change.AskedOf != response.From)
            return;
        asked.Remove(response.Context);
        if (response.Rejected)
        {
            change.NotBefore = now + RetryMilliseconds;
            if (!IsFinal(change, (ChangeRefusal)response.Count))
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

    /// <summary>What the leader was asked may have arrived, and its answer may be lost.</summary>
    public void PeerLost(ulong peer)
    {
        foreach ((long number, WaitingChange change) in asked)
        {
            if (change.AskedOf != peer)
                continue;
            asked.Remove(number);
            answers.OutcomeUnknown(change.Request);
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
                answers.NotDone(waiting[i].Request);
            waiting.RemoveAt(i);
        }
        foreach ((long number, WaitingChange change) in asked)
        {
            if (change.Deadline > now)
                continue;
            asked.Remove(number);
            answers.OutcomeUnknown(change.Request);
        }
        for (int i = ownRemovals.Count - 1; i >= 0; i--)
        {
            if (ownRemovals[i].Deadline > now)
                continue;
            answers.OutcomeUnknown(ownRemovals[i].Request);
            ownRemovals.RemoveAt(i);
        }
    }

    /// <summary>This member has been removed: whoever asked for that has it.</summary>
    public void OnRemoved()
    {
        foreach (WaitingChange change in waiting)
        {
            if (change.Change.Kind == MembershipChangeKind.Remove && change.Change.Id == core.Id)
                answers.Written(change.Request);
            else
                answers.NotDone(change.Request);
        }
        foreach (WaitingChange change in ownRemovals)
            answers.Written(change.Request);
        waiting.Clear();
        ownRemovals.Clear();
    }

    private bool TryFinish(WaitingChange change)
    {
        ChangeRefusal refusal = TryPropose(change.Change);
        if (refusal != ChangeRefusal.None)
            return IsFinal(change, refusal);
        pending.Add(change.Request, core.Log.Last, change.Deadline);
        return true;
    }

    private bool TryAsk(WaitingChange change)
    {
        ulong leader = core.LeaderId;
        if (leader == 0 || !network.CanSend(leader))
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

    /// <returns>False when it is worth another attempt.</returns>
    private bool IsFinal(WaitingChange change, ChangeRefusal refusal)
    {
        change.LastRefusal = refusal;
        if (refusal is ChangeRefusal.NotNow or ChangeRefusal.ChangeUnderWay)
            return false;
        answers.Refused(change.Request, refusal);
        return true;
    }

    /// <returns>None: the configuration is the log's last entry.</returns>
    private ChangeRefusal TryPropose(MembershipChange change)
    {
        if (!core.MayChangeConfiguration)
            return core.IsChangingConfiguration ? ChangeRefusal.ChangeUnderWay : ChangeRefusal.NotNow;
        ChangeRefusal refusal = MembershipPolicy.Plan(core.Configuration.Cluster, change, out ClusterConfiguration next);
        if (refusal != ChangeRefusal.None)
            return refusal;
        if (next.Find(core.Id) is null)
        {
            core.HandOver();
            return ChangeRefusal.NotNow;
        }
        return TryPropose(next) ? ChangeRefusal.None : wal.DiskIsFull ? ChangeRefusal.DiskFull : ChangeRefusal.NotNow;
    }

    private void ProposeOwn()
    {
        if (core.NextConfiguration() is { } next)
            TryPropose(next);
        for (int i = announced.Count - 1; i >= 0 && hasNews && core.MayChangeConfiguration; i--)
            ProposeMove(announced.GetKeyAtIndex(i), announced.GetValueAtIndex(i));
    }

    private void LookForNews()
    {
        hasNews = false;
        foreach ((ulong id, PeerAddress address) in announced)
            hasNews |= core.Configuration.Cluster.Find(id) is { } member && member.Address != address;
    }

    /// <summary>The leader may not be where a member that has moved looks for it, and the other way round.</summary>
    private void TellLeader(long now)
    {
        nextTelling = now + RetryMilliseconds;
        foreach ((ulong id, PeerAddress address) in announced)
        {
            if (core.LeaderId == 0 || core.Configuration.Cluster.Find(id) is not { } member || member.Address == address)
                continue;
            Message message = new()
            {
                Type = MessageType.ChangeMembers,
                From = core.Id,
                To = core.LeaderId,
                Context = nextNumber++,
                Count = 1,
            };
            network.Send(message, new MembershipChange(MembershipChangeKind.Move, id, address).ToRecord());
        }
    }

    private void ProposeMove(ulong id, PeerAddress address)
    {
        ClusterConfiguration current = core.Configuration.Cluster;
        if (current.IsJoint || current.Find(id) is not { } member || member.Address == address)
            return;
        foreach (Member other in current.Members)
        {
            if (other.Address == address)
                return;
        }
        TryPropose(ConfigurationEditor.Simple(current, [new(MemberEditKind.Move, id, address)], out _)!);
    }

    private bool TryPropose(ClusterConfiguration next)
    {
        byte[] record = ConfigurationRecord.Write(next);
        if (!wal.HasRoom(record.Length))
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

        public long NotBefore { get; set; }

        public ulong AskedOf { get; set; }

        public ChangeRefusal LastRefusal { get; set; }
    }
}
