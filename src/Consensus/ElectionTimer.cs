namespace RaftFast.Consensus;

/// <summary>Counts ticks up to a randomized election timeout (§5.2).</summary>
internal sealed class ElectionTimer(int electionTicks, Random random)
{
    private int timeout = electionTicks + random.Next(electionTicks);

    public int Elapsed { get; private set; }

    /// <summary>Whether less than the least election timeout has passed (§6, third issue: votes are refused meanwhile).</summary>
    public bool IsWithinMinimum => Elapsed < electionTicks;

    public void Reset() => Elapsed = 0;

    /// <summary>A new draw for each campaign, so that a split vote isn't split again.</summary>
    public void Redraw()
    {
        Elapsed = 0;
        timeout = electionTicks + random.Next(electionTicks);
    }

    /// <returns>Whether the timeout has passed.</returns>
    public bool Tick() => ++Elapsed >= timeout;
}
