namespace RaftFast.Consensus;

/// <summary>The leader's knowledge of one follower, copied for operators (<see cref="Progress"/>).</summary>
/// <param name="Match">Highest index at which the follower's log is known to match.</param>
/// <param name="Next">Index of the next entry to send.</param>
/// <param name="TicksSinceHeard">Ticks since the last message from the follower.</param>
/// <param name="LacksRoom">True if the follower's disk has no room for its log.</param>
public readonly record struct FollowerProgress(
    ulong Id, ProgressState State, long Match, long Next, int TicksSinceHeard, bool LacksRoom);
