namespace RaftFast.Consensus;

/// <summary>Counts ticks up to a randomized election timeout (§5.2).</summary>
internal sealed class ElectionTimer(int electionTicks, Random random)
{
    private int timeout = electionTicks + random.Next(electionTicks);

    public int Elapsed { get; private set; }

    /// <summary>
    /// True until the minimum election timeout has passed. Votes are refused until then (§6, third issue).
    /// </summary>
    public bool IsWithinMinimum => Elapsed < electionTicks;

    public void Reset() => Elapsed = 0;

    /// <summary>
    /// Starts again with a new random timeout. Each campaign draws a timeout, so that a split vote is not split again.
    /// </summary>
    public void Redraw()
    {
        Elapsed = 0;
        timeout = electionTicks + random.Next(electionTicks);
    }

    /// <returns>True if the timeout has passed.</returns>
    public bool Tick() => ++Elapsed >= timeout;
}
