namespace RaftFast.Consensus;

/// <summary>
/// Counts the ticks for which the oldest write of the log has been out. A disk that hangs reports no error: its write
/// just does not return.
/// </summary>
internal sealed class LogWriteTimer(int overdueTicks)
{
    private bool isOut;
    private int ticks;

    /// <summary>True while the oldest write has been out for <see cref="RaftOptions.OverdueWriteTicks"/>.</summary>
    public bool IsOverdue => ticks >= overdueTicks;

    public void Begun() => isOut = true;

    /// <summary>The oldest write has returned. The next write begins at that moment, if there is one.</summary>
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
