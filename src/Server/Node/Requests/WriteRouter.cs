using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Gives each write its way, in the order of arrival: proposed here, forwarded to the leader, or kept while no leader can
/// be reached. A write that has been sent anywhere is never sent again.
/// </summary>
internal sealed class WriteRouter(
    RaftCore core, Wal wal, ReadyExecutor executor, IPeerNetwork network, PendingWrites pending, ForwardedWrites forwarded, Answers answers)
{
    /// <summary>Writes kept while they can't leave, in number and in bytes; past either a client is told at once to come back later.</summary>
    public const int WaitingMax = 16384;

    /// <inheritdoc cref="WaitingMax"/>
    public const long WaitingBytesMax = 64 * 1024 * 1024;

    /// <summary>Writes held for the next append. So many more may come before any has to be refused.</summary>
    private const int HeldMax = WaitingMax / 2;

    private readonly Queue<WaitingWrite> waiting = new(1024);
    private readonly List<WaitingWrite> frame = new(1024);

    private long waitingBytes;

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

    public void Route()
    {
        // While they fit into the next append they wait for it, all or none.
        if (waiting.Count < HeldMax && waitingBytes < core.AppendBytesMax && core.HoldsProposals)
            return;
        while (waiting.TryPeek(out WaitingWrite next) && MayLeave(next))
        {
            if (core.IsLeader)
                Propose(Dequeue());
            else
                ForwardFrame();
        }
    }

    /// <summary>Writes of another member, for which this one should be the leader.</summary>
    public void OnForward(in Message message, Span<byte> records)
    {
        // Who led with this id has lost its disk: this server knows of no term in which it could answer.
        if (core.Term == 0)
            return;
        LogPosition first = default;
        int accepted = 0;
        bool lacksRoom = false;
        while (accepted < message.Count)
        {
            DecodeStatus status = Record.TryReadHeader(records, out RecordHeader header);
            Invariant.Hold(status == DecodeStatus.Complete);
            Span<byte> record = records[..header.RecordLength];
            lacksRoom = core.IsLeader && !wal.HasRoom(record.Length);
            if (lacksRoom || core.Propose(record.Length) != ProposeResult.Accepted)
                break;
            executor.PersistProposal(record);
            if (accepted++ == 0)
                first = core.Log.Last;
            records = records[header.RecordLength..];
        }
        if (accepted > 0)
            core.AwaitCommit(message.From, first.Index + accepted - 1);
        core.Ready.Messages.Add(new Message
        {
            Type = MessageType.ForwardResponse,
            // Room may also be lacking only until the next segment has been made.
            Rejected = lacksRoom && wal.DiskIsFull,
            From = core.Id,
            To = message.From,
            Term = core.Term,
            Position = first,
            Context = message.Context,
            Count = accepted,
        });
    }

    public void Expire(long now)
    {
        while (waiting.TryPeek(out WaitingWrite write) && write.Deadline <= now)
            answers.NotDone(Dequeue().Request);
    }

    /// <summary>Whether a write can go somewhere, be it to a refusal. While the log's next segment is being made, or leadership handed over, it waits.</summary>
    private bool MayLeave(in WaitingWrite write) => core.IsLeader
        ? !core.IsHandingOver && (wal.DiskIsFull || wal.HasRoom(write.Request.Record.Length))
        : core.LeaderId != 0 && network.CanSend(core.LeaderId);

    private WaitingWrite Dequeue()
    {
        WaitingWrite write = waiting.Dequeue();
        waitingBytes -= write.Request.Record.Length;
        return write;
    }

    private void Propose(in WaitingWrite write)
    {
        Span<byte> record = write.Request.Record;
        if (!wal.HasRoom(record.Length))
        {
            answers.DiskFull(write.Request);
            return;
        }
        if (core.Propose(record.Length) != ProposeResult.Accepted)
        {
            answers.Busy(write.Request);
            return;
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
            length += write.Request.Record.Length;
            frame.Add(Dequeue());
        }
        ReadOnlySpan<WaitingWrite> writes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(frame);
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
                answers.NotDone(write.Request);
        }
        if (isSent)
            forwarded.AddFrame(leader, writes);
    }
}
