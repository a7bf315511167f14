using System.Runtime.InteropServices;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Routes each write, in the order of arrival: proposes it here, forwards it to the leader, or keeps it while no leader
/// can be reached. A write that has been sent anywhere is never sent again.
/// </summary>
internal sealed class WriteRouter(
    RaftCore core, Wal wal, StateBound bound, CommandGate gate, ReadyExecutor executor, IPeerNetwork network,
    HeardPeers heard, PendingWrites pending, ForwardedWrites forwarded, Answers answers)
{
    /// <summary>
    /// Maximum writes that are kept while no leader can take them: a number, and bytes. More writes are refused at
    /// once, and the clients may try again later.
    /// </summary>
    public const int WaitingMax = 16384;

    /// <inheritdoc cref="WaitingMax"/>
    public const long WaitingBytesMax = 64 * 1024 * 1024;

    /// <summary>
    /// Maximum writes held to share an append, or a frame to the leader. This is half of <see cref="WaitingMax"/>, so
    /// that as many others can arrive before any write is refused.
    /// </summary>
    private const int HeldMax = WaitingMax / 2;

    private readonly Queue<WaitingWrite> waiting = new(1024);
    private readonly List<WaitingWrite> frame = new(1024);

    private long waitingBytes;

    /// <summary>True if the log has room for all writes that waited when <see cref="Route"/> began.</summary>
    private bool hasRoomForAll;

    /// <summary>True if the last <see cref="Route"/> held writes so that later ones share their append.</summary>
    public bool HoldsForMore { get; private set; }

    public int WaitingCount => waiting.Count;

    public long WaitingBytes => waitingBytes;

    public void Add(in WaitingWrite write)
    {
        if (waiting.Count >= WaitingMax || waitingBytes >= WaitingBytesMax)
            Route();
        if (waiting.Count >= WaitingMax || waitingBytes >= WaitingBytesMax)
        {
            answers.Busy(write.Request);
            return;
        }
        waiting.Enqueue(write);
        waitingBytes += write.Request.Record.Length;
    }

    /// <param name="mayHold">True if the caller, after this call, reads more requests and calls again.</param>
    public void Route(bool mayHold = false)
    {
        HoldsForMore = false;
        // Near followers that keep up still have appends to acknowledge: hold the writes for the next append, while all
        // of them fit.
        bool fit = waiting.Count < HeldMax && waitingBytes < core.AppendBytesMax;
        if (fit && core.HoldsProposals)
            return;
        hasRoomForAll = core.IsLeader && wal.HasRoom(waitingBytes);
        // The next append would leave now; hold the writes for those that the caller reads next.
        HoldsForMore = fit && mayHold && waiting.TryPeek(out WaitingWrite first) && MayLeave(first);
        if (HoldsForMore)
            return;
        while (waiting.TryPeek(out WaitingWrite next) && MayLeave(next))
        {
            if (core.IsLeader)
                Propose(Dequeue());
            else
                ForwardFrame();
        }
    }

    /// <summary>
    /// Proposes writes that another member has forwarded, and answers how many were accepted: none if this member does
    /// not lead.
    /// </summary>
    public void OnForward(in Message message, Span<byte> records)
    {
        LogPosition first = default;
        int accepted = 0;
        bool lacksRoom = false;
        bool isFull = false;
        while (accepted < message.Count)
        {
            DecodeStatus status = Record.TryReadHeader(records, out RecordHeader header);
            Invariant.Hold(status == DecodeStatus.Complete);
            Span<byte> record = records[..header.RecordLength];
            lacksRoom = core.IsLeader && !wal.HasRoom(record.Length);
            isFull = core.MajorityLacksRoom || (core.IsLeader && !bound.Admits(record));
            if (lacksRoom || isFull || gate.Refuses(record) || core.Propose(record.Length) != ProposeResult.Accepted)
                break;
            gate.Proposed(record, header);
            executor.PersistProposal(record);
            if (accepted++ == 0)
                first = core.Log.Last;
            records = records[header.RecordLength..];
        }
        if (accepted > 0)
            core.AwaitCommit(message.From, first.Index + accepted - 1);
        Message answer = new()
        {
            Type = MessageType.ForwardResponse,
            // The disk is not full if the log lacks room only until its next segment is made.
            Rejected = isFull || (lacksRoom && wal.DiskIsFull),
            To = message.From,
            Position = first,
            Context = message.Context,
            Count = accepted,
        };
        executor.Answer(answer, isRefusal: accepted == 0);
    }

    public void Expire(long now)
    {
        while (waiting.TryPeek(out WaitingWrite write) && write.Deadline <= now)
            answers.NotDone(Dequeue().Request, NotDoneReason.NoLeader);
    }

    /// <summary>
    /// True when the write can be proposed, forwarded or refused. The write waits while the log's next segment is being
    /// made, while leadership is being handed over, or while a new leader does not know the log time. The write also
    /// waits while the leader is not heard, because the leader's answer would be lost.
    /// </summary>
    private bool MayLeave(in WaitingWrite write) => core.IsLeader
        ? !core.IsHandingOver && !gate.MustWait(write.Request)
            && (wal.DiskIsFull || core.LogWriteIsOverdue || HasRoom(write.Request.Record.Length))
        : core.LeaderId != 0 && heard.Has(core.LeaderId) && network.CanSend(core.LeaderId);

    private bool HasRoom(int bytes) => hasRoomForAll || wal.HasRoom(bytes);

    private WaitingWrite Dequeue()
    {
        WaitingWrite write = waiting.Dequeue();
        waitingBytes -= write.Request.Record.Length;
        return write;
    }

    private void Propose(in WaitingWrite write)
    {
        Span<byte> record = write.Request.Record;
        if (core.LogWriteIsOverdue)
        {
            answers.NotDone(write.Request, NotDoneReason.DiskHangs);
            return;
        }
        bool majorityIsFull = core.MajorityLacksRoom;
        if (majorityIsFull && !core.LacksRoom)
        {
            answers.MajorityFull(write.Request);
            return;
        }
        if (majorityIsFull || !HasRoom(record.Length))
        {
            answers.DiskFull(write.Request);
            return;
        }
        if (!bound.Admits(record))
        {
            answers.StateFull(write.Request);
            return;
        }
        if (write.Request.IsExtended && gate.Refuses(record))
        {
            gate.Refuse(write.Request, answers);
            return;
        }
        if (core.Propose(record.Length) != ProposeResult.Accepted)
        {
            answers.Busy(write.Request);
            return;
        }
        if (write.Request.IsExtended)
        {
            Record.TryReadHeader(record, out RecordHeader header);
            gate.Proposed(record, header);
        }
        executor.PersistProposal(record);
        pending.Add(write.Request, core.Log.Last, write.Deadline);
    }

    private void ForwardFrame()
    {
        ulong leader = core.LeaderId;
        int length = 0;
        frame.Clear();
        while (waiting.TryPeek(out WaitingWrite write) && length + write.Request.Record.Length <= Frame.RecordsBytesMax)
        {
            Dequeue();
            // Refuse in advance what the leader would refuse, because a refusal by the leader ends the frame. The two
            // states differ only in keys that are just changing.
            if (!bound.Admits(write.Request.Record))
            {
                answers.StateFull(write.Request);
                continue;
            }
            if (write.Request.IsExtended && gate.RefusesToForward(write.Request.Record))
            {
                gate.Refuse(write.Request, answers);
                continue;
            }
            length += write.Request.Record.Length;
            frame.Add(write);
        }
        if (frame.Count == 0)
            return;
        ReadOnlySpan<WaitingWrite> writes = CollectionsMarshal.AsSpan(frame);
        Message message = new()
        {
            Type = MessageType.Forward,
            From = core.Id,
            To = leader,
            Context = forwarded.NextFrame,
            Count = writes.Length,
        };
        bool isSent = network.Begin(message, length);
        foreach (WaitingWrite write in writes)
        {
            if (isSent)
                network.Write(leader, write.Request.Record);
            else
                answers.NotDone(write.Request, NotDoneReason.LeaderUnreachable);
        }
        if (isSent)
            forwarded.AddFrame(leader, writes);
    }
}

/// <summary>A write that has not been sent anywhere yet.</summary>
/// <param name="Deadline">Time at which the write is answered 503, in the node's milliseconds.</param>
internal readonly record struct WaitingWrite(ClientRequest Request, long Deadline);
