using System.Runtime.ExceptionServices;

namespace RaftFast.Http;

/// <summary>
/// A step that anybody may ask for and that runs on one thread at a time. The state goes from Idle to Signalled with the
/// asker that then has to run it, and from Running back to Idle only if nobody asked since. Both are full fences: a step
/// sees all that was done before it was asked for, and what the one before it did.
/// </summary>
internal sealed class SerialWork(Action step) : IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Signalled = 2;

    /// <summary>As often as this the step runs in a row on one thread, which has other things to do.</summary>
    private const int RunsInARowMax = 4;

    private int state;

    /// <summary>The step runs, here unless it is running already; what it has to do again and again goes on elsewhere.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref state, Signalled) == Idle)
            Execute();
    }

    /// <summary>The step runs, never here.</summary>
    public void WakeElsewhere()
    {
        if (Interlocked.Exchange(ref state, Signalled) == Idle)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>For the step itself: it runs once more.</summary>
    public void Again() => Interlocked.Exchange(ref state, Signalled);

    public void Execute()
    {
        try
        {
            for (int runs = 0; runs < RunsInARowMax; runs++)
            {
                Interlocked.Exchange(ref state, Running);
                step();
                if (Interlocked.CompareExchange(ref state, Idle, Running) == Running)
                    return;
            }
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        catch (Exception bug)
        {
            // A pipes that called us would log it and go on. It is to stop the process.
            ThreadPool.UnsafeQueueUserWorkItem(
                static exception => ExceptionDispatchInfo.Throw(exception), bug, preferLocal: false);
        }
    }
}
