using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Read requests at the leader (thesis §6.4). One round at a time: it confirms every request that was waiting when it
/// began, and those that come meanwhile share the next. A server has at most one request here, its latest.
/// </summary>
internal sealed class ReadIndexQueue
{
    private List<(ulong Server, long Context)> waiting = [];
    private List<(ulong Server, long Context)> confirming = [];

    /// <summary>Number of the latest round; never used again by this process.</summary>
    public long Round { get; private set; }

    public bool IsConfirming { get; private set; }

    /// <summary>The commit index when the round under way began.</summary>
    public long Index { get; private set; }

    public bool MayBegin => waiting.Count > 0 && !IsConfirming;

    public void Add(ulong server, long context)
    {
        Invariant.Hold(context > 0);
        for (int i = 0; i < waiting.Count; i++)
        {
            if (waiting[i].Server == server)
            {
                waiting[i] = (server, context);
                return;
            }
        }
        waiting.Add((server, context));
    }

    public void Begin(long committed)
    {
        Invariant.Hold(MayBegin);
        Round++;
        Index = committed;
        IsConfirming = true;
        (waiting, confirming) = (confirming, waiting);
        waiting.Clear();
    }

    /// <returns>Whose requests are confirmed.</returns>
    public List<(ulong Server, long Context)> Confirm()
    {
        Invariant.Hold(IsConfirming);
        IsConfirming = false;
        return confirming;
    }

    /// <summary>Forgets all: the askers ask again, with a fresh context.</summary>
    public void Clear()
    {
        IsConfirming = false;
        waiting.Clear();
    }
}
