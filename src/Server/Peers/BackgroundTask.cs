namespace RaftFast.Server.Peers;

/// <summary>Work on the thread pool that handles all that can go wrong outside; what still escapes it is a bug and ends the process.</summary>
internal static class BackgroundTask
{
    public static Task Run(Func<Task> work)
    {
        Task task = Task.Run(work);
        RethrowUnhandled(task);
        return task;
    }

    private static async void RethrowUnhandled(Task task) => await task.ConfigureAwait(false);
}
