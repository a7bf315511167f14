using RaftFast.Server.Lifetime;

namespace RaftFast.Server.Threads;

/// <summary>
/// Starts work that no caller awaits. The work handles the faults of disk and network itself; an exception that escapes
/// it is a bug, and ends the process.
/// </summary>
internal static class BackgroundTask
{
    /// <summary>Runs the work on the thread pool.</summary>
    public static Task Run(Func<Task> work)
    {
        Task task = Task.Run(work);
        EndWithBug(task);
        return task;
    }

    /// <summary>Runs the work on a thread of its own, because the work waits for a disk.</summary>
    /// <param name="name">The thread's name, of <see cref="ThreadNames"/>.</param>
    public static Task RunOnThread(string name, Action work)
    {
        Task task = StartThread(name, work);
        EndWithBug(task);
        return task;
    }

    /// <summary>Runs the work on a thread of its own. The caller awaits the task, and gets its exceptions.</summary>
    /// <param name="name">The thread's name, of <see cref="ThreadNames"/>.</param>
    public static Task StartThread(string name, Action work) => Task.Factory.StartNew(
        () =>
        {
            Thread.CurrentThread.Name = name;
            work();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private static async void EndWithBug(Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
        catch (Exception bug)
        {
            FatalError.Exit(bug);
        }
    }
}
