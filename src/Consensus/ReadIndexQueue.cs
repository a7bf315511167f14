using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Read requests at the leader (thesis §6.4). One round at a time: it confirms every request that was waiting when it
/// began, and those that come meanwhile share the next. A server has at most one request here, its latest.
/// </summary>
internal sealed class ReadIndexQueue(int servers)
{
    /// <summary>Context by server's ordinal; 0: none.</summary>
    private readonly long[] waiting = new long[servers];
    private readonly long[] confirming = new long[servers];

    private bool hasWaiting;

    /// <summary>Number of the latest round; never used again by this process.</summary>
    public long Round { get; private set; }

    public bool IsConfirming { get; private set; }

    /// <summary>The commit index when the round under way began.</summary>
    public long Index { get; private set; }

    public bool MayBegin => hasWaiting && !IsConfirming;

    public void Add(int server, long context)
    {
        Invariant.Hold(context > 0);
        waiting[server] = context;
        hasWaiting = true;
    }

    public void Begin(long committed)
    {
        Invariant.Hold(MayBegin);
        Round++;
        Index = committed;
        IsConfirming = true;
        hasWaiting = false;
        waiting.CopyTo(confirming, 0);
        Array.Clear(waiting);
    }

    /// <returns>The contexts confirmed, by server's ordinal; 0: none.</returns>
    public ReadOnlySpan<long> Confirm()
    {
        Invariant.Hold(IsConfirming);
        IsConfirming = false;
        return confirming;
    }

    /// <summary>Forgets all: the askers ask again, with a fresh context.</summary>
    public void Clear()
    {
        IsConfirming = false;
        hasWaiting = false;
        Array.Clear(waiting);
    }
}
