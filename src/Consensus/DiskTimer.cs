namespace RaftFast.Consensus;

/// <summary>
/// Counts the ticks for which the oldest write of the log, or the oldest read, has been out. A disk that hangs reports
/// no error: the write or read just does not return.
/// </summary>
internal sealed class DiskTimer(int overdueTicks)
{
    private bool isOut;
    private int ticks;

    /// <summary>True while the oldest one has been out for <see cref="RaftOptions.OverdueWriteTicks"/>.</summary>
    public bool IsOverdue => ticks >= overdueTicks;

    public void Begun() => isOut = true;

    /// <summary>The oldest one has returned. The next one begins at that moment, if there is one.</summary>
    public void Ended(bool isNextOut)
    {
        isOut = isNextOut;
        ticks = 0;
    }

    public void Tick()
    {
        if (isOut && ticks < overdueTicks)
            ticks++;
    }
}
