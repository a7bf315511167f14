using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>Leadership on its way to another server (thesis §3.10): once that holds all of the log it is told to campaign at once.</summary>
internal sealed class HandOver(RaftCore core)
{
    private int ticksLeft;
    private bool isTold;

    /// <summary>0: none.</summary>
    public ulong Target { get; private set; }

    public bool IsUnderWay => Target != 0;

    public void Begin(ulong target)
    {
        Target = target;
        ticksLeft = core.Options.ElectionTicks;
        isTold = false;
    }

    /// <param name="match">Of the target.</param>
    public void Proceed(long match)
    {
        if (isTold || match < core.Log.Last.Index)
            return;
        isTold = true;
        core.Send(new Message { Type = MessageType.TimeoutNow, To = Target });
    }

    /// <summary>"If leadership transfer does not complete after about an election timeout, the prior leader aborts."</summary>
    public void Tick()
    {
        if (IsUnderWay && --ticksLeft == 0)
            Clear();
    }

    public void Clear() => Target = 0;
}
