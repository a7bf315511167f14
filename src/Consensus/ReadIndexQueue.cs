using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Requests for a read index at the leader (thesis §6.4). A round confirms all requests that were waiting when it
/// began; requests that come during the round share the next. A server has at most one waiting request, its latest.
/// </summary>
internal sealed class ReadIndexQueue
{
    private List<(ulong Server, long Context)> waiting = [];
    private List<(ulong Server, long Context)> confirming = [];

    /// <summary>Number of the latest round. This process never uses a number twice.</summary>
    public long Round { get; private set; }

    public bool IsConfirming { get; private set; }

    /// <summary>The commit index at the beginning of the round under way.</summary>
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

    /// <returns>The requests that the round under way confirms.</returns>
    public List<(ulong Server, long Context)> Confirm()
    {
        Invariant.Hold(IsConfirming);
        IsConfirming = false;
        return confirming;
    }

    /// <summary>Forgets all requests. Each server asks again, with a new context.</summary>
    public void Clear()
    {
        IsConfirming = false;
        waiting.Clear();
    }
}
