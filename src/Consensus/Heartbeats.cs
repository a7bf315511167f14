using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The leader's heartbeats (§5.2). Heartbeats are sent at regular intervals, and in between for a read round or for a
/// follower that waits for a commit. A heartbeat carries a commit index, but no entries.
/// </summary>
internal sealed class Heartbeats(RaftCore core, ProgressTable progress)
{
    private int ticksLeft;

    public void Enter() => ticksLeft = core.Options.HeartbeatTicks;

    /// <returns>True if a heartbeat to all servers is due.</returns>
    public bool Tick()
    {
        if (--ticksLeft > 0)
            return false;
        ticksLeft = core.Options.HeartbeatTicks;
        return true;
    }

    /// <param name="readRound">The read round to confirm; 0: none.</param>
    public void Broadcast(long readRound)
    {
        for (int i = 0; i < progress.Count; i++)
        {
            if (i != progress.Self)
                Send(i, readRound);
        }
    }

    /// <summary>Sends the commit index to each follower that waits for one and would learn a higher index.</summary>
    /// <inheritdoc cref="Broadcast"/>
    public void SendAwaitedCommits(long readRound)
    {
        for (int i = 0; i < progress.Count; i++)
        {
            Progress follower = progress[i];
            bool isAwaited = follower.CommitSent < follower.CommitAwaited;
            if (i != progress.Self && isAwaited && Math.Min(core.Log.Committed, follower.Match) > follower.CommitSent)
                Send(i, readRound);
        }
    }

    /// <inheritdoc cref="Broadcast"/>
    public void Send(int ordinal, long readRound)
    {
        Progress follower = progress[ordinal];
        // Never above Match: above Match, the follower's log may differ from the leader's.
        long commit = Math.Min(core.Log.Committed, follower.Match);
        follower.CommitSent = Math.Max(follower.CommitSent, commit);
        core.Send(new Message
        {
            Type = MessageType.Heartbeat,
            To = core.Configuration.Servers[ordinal],
            Commit = commit,
            Context = readRound,
        });
    }
}
