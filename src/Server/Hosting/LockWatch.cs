namespace RaftFast.Server.Hosting;

/// <summary>
/// Verifies once a second that the data directory is still this process's alone. Runs on the thread pool: a file system
/// that does not answer holds up no other work.
/// </summary>
internal sealed class LockWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Action verify;
    private readonly Action<Exception> fail;
    private readonly Lock gate = new();
    private readonly Timer timer;
    private bool hasEnded;

    /// <param name="verify">Throws if another process may have the directory.</param>
    /// <param name="fail">Gets the exception, after which the watch ends.</param>
    public LockWatch(Action verify, Action<Exception> fail)
    {
        this.verify = verify;
        this.fail = fail;
        timer = new Timer(_ => Verify());
        timer.Change(Period, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Waits for a verification under way: afterwards the directory may be closed.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            hasEnded = true;
            timer.Dispose();
        }
    }

    private void Verify()
    {
        lock (gate)
        {
            if (hasEnded)
                return;
            try
            {
                verify();
                // The next time is counted from here, so that no second verification begins beside a slow one.
                timer.Change(Period, Timeout.InfiniteTimeSpan);
            }
            catch (Exception failure)
            {
                hasEnded = true;
                fail(failure);
            }
        }
    }
}
