using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Hand-over by a leader whose disk hangs or is full, to a voter that can write (thesis §3.10). Heartbeats need no
/// disk, so no follower would ever depose such a leader.
/// </summary>
internal sealed class DiskHandOver(RaftCore core, ProgressTable progress, HandOver handOver)
{
    private readonly QuorumAnswer[] rooms = new QuorumAnswer[ClusterConfiguration.MembersMax];
    private int ticksToHung;
    private int ticksToFull;

    /// <summary>
    /// True if voters lack room, and without them no majority can write. A silent voter counts as a voter that cannot
    /// write. Silence alone is no reason: a new leader has heard no voter yet.
    /// </summary>
    public bool MajorityLacksRoom => AnyLacksRoom() && CountRooms(!core.LacksRoom) != QuorumResult.Won;

    /// <summary>
    /// True if a majority without this server has committed an entry that this server has not written: that majority
    /// can write, and only the disk of this server delays commits.
    /// </summary>
    private bool OthersWrite => core.Log.Committed > core.Log.Durable;

    public void Tick()
    {
        ticksToHung = Math.Max(0, ticksToHung - 1);
        ticksToFull = Math.Max(0, ticksToFull - 1);
        if (core.LogWriteIsOverdue)
        {
            // During an attempt, writes of clients wait. In the pause after an attempt, writes are answered 503.
            if (ticksToHung == 0 && OthersWrite && handOver.TryBegin())
                ticksToHung = 2 * core.Options.ElectionTicks;
        }
        else if (core.LacksRoom && ticksToFull == 0 && CountRooms(own: false) == QuorumResult.Won
            && handOver.TryBegin(needsRoom: true))
        {
            ticksToFull = core.Options.FullHandOverTicks;
        }
    }

    private bool AnyLacksRoom()
    {
        if (core.LacksRoom)
            return true;
        foreach (int voter in core.Configuration.Voters)
        {
            if (progress[voter].LacksRoom)
                return true;
        }
        return false;
    }

    private QuorumResult CountRooms(bool own)
    {
        for (int i = 0; i < progress.Count; i++)
        {
            bool isHeard = progress[i].TicksSinceHeard <= core.Options.ElectionTicks;
            bool hasRoom = i == progress.Self ? own : isHeard && !progress[i].LacksRoom;
            rooms[i] = hasRoom ? QuorumAnswer.Granted : QuorumAnswer.Rejected;
        }
        return Quorum.Count(core.Configuration, rooms);
    }
}
