using RaftFast.Consensus;

namespace RaftFast.Server.Node;

/// <summary>
/// Log time, in milliseconds: the time of the state, and what this member's monotonic clock has measured since. The
/// clock runs only while a leader is known. No wall clock enters. So no time to live and no window ends early,
/// whichever member leads. The reasons:
/// <list type="bullet">
/// <item>a member that applies an entry of another leader measures anew from the entry's time: this clock may have been
/// ahead of the one that gave the entry its time;</item>
/// <item>a leader gives no entry a time before it has applied an entry of its own term. Until then the log may hold
/// entries of earlier leaders that have yet to set this clock (compare thesis §6.4).</item>
/// </list>
/// </summary>
internal sealed class LogClock(RaftCore core, StateMachine state)
{
    private long measured;

    public long Now => Math.Max(measured, state.Store.LogTime);

    /// <summary>True if this member leads, and may give entries their time.</summary>
    public bool IsCurrent => core.IsLeader && core.Log.TermAt(core.Log.Applied) == core.Term;

    /// <param name="milliseconds">Time that has passed while a leader was known.</param>
    public void Advance(long milliseconds) => measured = Now + milliseconds;

    /// <summary>An entry of this term, from which a time to live or a window counts, has been applied.</summary>
    public void TimedEntryApplied(long term)
    {
        if (!core.IsLeader || term != core.Term)
            measured = state.Store.LogTime;
    }

    /// <summary>An installed snapshot has replaced the state.</summary>
    public void StateReplaced() => measured = state.Store.LogTime;
}
