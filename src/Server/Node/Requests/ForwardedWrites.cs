using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Writes that were sent to the leader, and whose place in the log is not known yet. Each was sent once and is never
/// sent again.
/// </summary>
internal sealed class ForwardedWrites(Answers answers, long firstNumber)
{
    private readonly Dictionary<long, ForwardedWrite> byNumber = new(1024);
    private readonly Dictionary<long, ForwardedFrame> frames = new(64);

    private long nextNumber = firstNumber;

    /// <summary>Number of the next frame's first write; the frame's other writes have the numbers after it.</summary>
    public long NextFrame => nextNumber;

    public int Count => byNumber.Count;

    /// <summary>A frame of these writes has been sent to <paramref name="leader"/>.</summary>
    public void AddFrame(ulong leader, ReadOnlySpan<WaitingWrite> writes)
    {
        long frame = nextNumber;
        long deadline = 0;
        foreach (WaitingWrite write in writes)
        {
            deadline = Math.Max(deadline, write.Deadline);
            byNumber.Add(nextNumber++, new ForwardedWrite(write.Request, leader, write.Deadline));
        }
        frames.Add(frame, new ForwardedFrame(leader, writes.Length, deadline));
    }

    /// <summary>
    /// The leader has proposed the frame's first Count writes, at Position and after, and refused the others.
    /// </summary>
    public void OnResponse(in Message response, PendingWrites pending, RaftLog log)
    {
        if (!frames.Remove(response.Context, out ForwardedFrame frame) || frame.Leader != response.From)
            return;
        for (int i = 0; i < frame.Count; i++)
        {
            // A write that expired meanwhile has been answered.
            if (!byNumber.Remove(response.Context + i, out ForwardedWrite write))
                continue;
            LogPosition position = new(response.Position.Term, response.Position.Index + i);
            if (i >= response.Count && response.Rejected)
                answers.LeaderFull(write.Request);
            else if (i >= response.Count)
                answers.NotDone(write.Request, NotDoneReason.LeaderRefused);
            else
                pending.Placed(write.Request, position, write.Deadline, log);
        }
    }

    /// <summary>True while writes wait for this answer.</summary>
    public bool Awaits(in Message response) =>
        frames.TryGetValue(response.Context, out ForwardedFrame frame) && frame.Leader == response.From;

    /// <summary>
    /// A connection with this leader broke: writes sent to it may have arrived, and its answers may be lost.
    /// </summary>
    public void PeerLost(ulong peer)
    {
        foreach ((long number, ForwardedWrite write) in byNumber)
        {
            if (write.Leader == peer)
                GiveUp(number, write);
        }
        foreach ((long first, ForwardedFrame frame) in frames)
        {
            if (frame.Leader == peer)
                frames.Remove(first);
        }
    }

    public void Expire(long now)
    {
        foreach ((long number, ForwardedWrite write) in byNumber)
        {
            if (write.Deadline <= now)
                GiveUp(number, write);
        }
        foreach ((long first, ForwardedFrame frame) in frames)
        {
            if (frame.Deadline <= now)
                frames.Remove(first);
        }
    }

    private void GiveUp(long number, in ForwardedWrite write)
    {
        byNumber.Remove(number);
        answers.OutcomeUnknown(write.Request);
    }

    private readonly record struct ForwardedWrite(ClientRequest Request, ulong Leader, long Deadline);

    private readonly record struct ForwardedFrame(ulong Leader, int Count, long Deadline);
}
