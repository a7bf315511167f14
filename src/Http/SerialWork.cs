using System.Runtime.ExceptionServices;

namespace RaftFast.Http;

/// <summary>
/// A step that any thread may ask for and that runs on one thread at a time. The thread that moves the state from Idle
/// to Signalled runs the step. The state returns from Running to Idle only if no thread has asked since the step began.
/// Both changes are full fences: a step sees all writes before the request for it, and all writes of the step before.
/// </summary>
internal sealed class SerialWork(Action step) : IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Signalled = 2;

    /// <summary>
    /// Maximum runs of the step in a row on one thread, so that the thread's other work is not delayed.
    /// </summary>
    private const int RunsInARowMax = 4;

    private int state;

    /// <summary>
    /// Runs the step on this thread, or once more on the thread that is running it. After <see cref="RunsInARowMax"/>
    /// runs the thread pool continues.
    /// </summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref state, Signalled) == Idle)
            Execute();
    }

    /// <summary>Runs the step on a thread of the pool, or once more on the thread that is running it.</summary>
    public void WakeElsewhere()
    {
        if (Interlocked.Exchange(ref state, Signalled) == Idle)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Makes the step run once more. Only the step itself calls this.</summary>
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
            // A transport that called this method would log the exception and continue. A bug must stop the process.
            ThreadPool.UnsafeQueueUserWorkItem(
                static exception => ExceptionDispatchInfo.Throw(exception), bug, preferLocal: false);
        }
    }
}
