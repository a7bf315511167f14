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

    /// <summary>True if no majority of the voters, this server included, has room in the log.</summary>
    public bool MajorityLacksRoom => CountRooms(!core.LacksRoom) != QuorumResult.Won;

    /// <summary>
    /// True if a majority without this server has committed an entry that this server has not written: that majority
    /// can write, and the disk of this server is in its way.
    /// </summary>
    private bool OthersWrite => core.Log.Committed > core.Log.Durable;

    public void Tick()
    {
        ticksToHung = Math.Max(0, ticksToHung - 1);
        ticksToFull = Math.Max(0, ticksToFull - 1);
        if (core.LogWriteIsOverdue)
        {
            // Between two attempts, clients get their 503.
            if (ticksToHung == 0 && OthersWrite && handOver.TryBegin())
                ticksToHung = 2 * core.Options.ElectionTicks;
        }
        else if (core.LacksRoom && ticksToFull == 0 && CountRooms(own: false) == QuorumResult.Won
            && handOver.TryBegin(needsRoom: true))
        {
            ticksToFull = core.Options.FullHandOverTicks;
        }
    }

    private QuorumResult CountRooms(bool own)
    {
        for (int i = 0; i < progress.Count; i++)
        {
            bool hasRoom = i == progress.Self ? own : !progress[i].LacksRoom;
            rooms[i] = hasRoom ? QuorumAnswer.Granted : QuorumAnswer.Rejected;
        }
        return Quorum.Count(core.Configuration, rooms);
    }
}
