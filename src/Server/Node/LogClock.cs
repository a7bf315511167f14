namespace RaftFast.Server.Node;

/// <summary>
/// Log time, in milliseconds: the time of the state, and what this member's monotonic clock has measured since. The
/// clock runs only while a leader is known, and never ahead of the real time since an entry got its time. No wall clock
/// enters. So nothing that log time ends ends early, whichever member leads.
/// </summary>
internal sealed class LogClock(StateMachine state)
{
    private long measured;

    public long Now => Math.Max(measured, state.Store.LogTime);

    /// <param name="milliseconds">Time that has passed while a leader was known.</param>
    public void Advance(long milliseconds) => measured = Now + milliseconds;
}
