using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Hand-over of leadership to another server (thesis §3.10). As soon as the target holds the whole log, the leader
/// tells it to campaign at once.
/// </summary>
internal sealed class HandOver(RaftCore core, ProgressTable progress)
{
    private int ticksLeft;
    private bool isTold;

    /// <summary>Server to hand over to; 0: none.</summary>
    private ulong target;

    public bool IsUnderWay => target != 0;

    /// <summary>
    /// Chooses the most up-to-date of the other voters that have answered within an election timeout. Returns false if
    /// no other voter has answered.
    /// </summary>
    /// <param name="needsRoom">True to choose only among voters with room in their logs.</param>
    public bool TryBegin(bool needsRoom = false)
    {
        if (IsUnderWay)
            return true;
        long best = -1;
        foreach (int voter in core.Configuration.Voters)
        {
            Progress follower = progress[voter];
            bool isHeard = voter != progress.Self && follower.TicksSinceHeard <= core.Options.ElectionTicks;
            if (!isHeard || (needsRoom && follower.LacksRoom))
                continue;
            if (follower.Match <= best)
                continue;
            target = core.Configuration.Servers[voter];
            best = follower.Match;
        }
        ticksLeft = core.Options.ElectionTicks;
        isTold = false;
        return IsUnderWay;
    }

    /// <summary>Hands over to this voter, if it has answered within an election timeout.</summary>
    public bool TryBegin(ulong to)
    {
        int ordinal = core.Configuration.OrdinalOf(to);
        Invariant.Hold(ordinal >= 0 && ordinal != progress.Self);
        if (IsUnderWay || progress[ordinal].TicksSinceHeard > core.Options.ElectionTicks)
            return IsUnderWay && target == to;
        target = to;
        ticksLeft = core.Options.ElectionTicks;
        isTold = false;
        return true;
    }

    public void Proceed()
    {
        if (!IsUnderWay || isTold || progress.Of(target).Match < core.Log.Last.Index)
            return;
        isTold = true;
        core.Send(new Message { Type = MessageType.TimeoutNow, To = target });
    }

    /// <summary>
    /// "If leadership transfer does not complete after about an election timeout, the prior leader aborts."
    /// </summary>
    public void Tick()
    {
        if (IsUnderWay && --ticksLeft == 0)
            Clear();
    }

    public void Clear() => target = 0;
}
