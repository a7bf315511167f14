using System.Runtime.ExceptionServices;

namespace RaftFast.Http;

/// <summary>
/// A step that any thread may ask for, and that runs on one thread at a time. The thread that moves the state from Idle
/// to Signalled must run the step. The state returns from Running to Idle only if no thread has asked meanwhile. The
/// two state changes are full fences. A step sees everything done before the request for the step, and everything that
/// the previous step did.
/// </summary>
internal sealed class SerialWork(Action step) : IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Signalled = 2;

    /// <summary>Maximum steps in a row on one thread, because that thread has other work.</summary>
    private const int RunsInARowMax = 4;

    private int state;

    /// <summary>
    /// Runs the step here unless it is running. After <see cref="RunsInARowMax"/> steps in a row, the step continues on
    /// another thread.
    /// </summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref state, Signalled) == Idle)
            Execute();
    }

    /// <summary>Runs the step on another thread.</summary>
    public void WakeElsewhere()
    {
        if (Interlocked.Exchange(ref state, Signalled) == Idle)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Makes the step run once more; called by the step itself.</summary>
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
            // A transport that called this would log the exception and continue. The exception must end the process
            // instead.
            ThreadPool.UnsafeQueueUserWorkItem(
                static exception => ExceptionDispatchInfo.Throw(exception), bug, preferLocal: false);
        }
    }
}
