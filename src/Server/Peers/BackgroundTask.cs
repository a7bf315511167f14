namespace RaftFast.Server.Peers;

/// <summary>Work on the thread pool that handles all that can go wrong outside; what still escapes it is a bug and ends the process.</summary>
internal static class BackgroundTask
{
    public static Task Run(Func<Task> work)
    {
        Task task = Task.Run(work);
        EndWithBug(task);
        return task;
    }

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
