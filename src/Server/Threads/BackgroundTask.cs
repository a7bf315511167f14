using RaftFast.Server.Lifetime;

namespace RaftFast.Server.Threads;

/// <summary>Work on the thread pool that handles all that can go wrong outside; what still escapes it is a bug and ends the process.</summary>
internal static class BackgroundTask
{
    public static Task Run(Func<Task> work)
    {
        Task task = Task.Run(work);
        EndWithBug(task);
        return task;
    }

    /// <summary>On a thread of its own, for work that waits for a disk.</summary>
    public static Task RunOnThread(string name, Action work)
    {
        Task task = StartThread(name, work);
        EndWithBug(task);
        return task;
    }

    /// <summary>The same, whose bugs are the caller's, who awaits it.</summary>
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
