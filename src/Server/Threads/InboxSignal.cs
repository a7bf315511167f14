namespace RaftFast.Server.Threads;

/// <summary>
/// An item that says only that something is so: posting it again while it waits in the inbox does nothing. One object says it
/// for ever, and whoever posts it takes one place of the inbox at most.
/// </summary>
internal abstract class InboxSignal
{
    private int waiting;

    /// <summary>Posted, and not taken by the loop yet.</summary>
    public bool IsWaiting => Volatile.Read(ref waiting) != 0;

    /// <returns>False if it waits already.</returns>
    internal bool TryBeginWaiting() => Interlocked.Exchange(ref waiting, 1) == 0;

    /// <summary>From here on a new post counts: what it says is not known to the loop yet.</summary>
    internal void EndWaiting() => Interlocked.Exchange(ref waiting, 0);
}
