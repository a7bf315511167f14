namespace RaftFast.Server.Loop;

/// <summary>Asks the loop to let go of leadership; complete when another has it, or none could be found.</summary>
internal sealed class StopRequest
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Done => done.Task;

    public void Complete() => done.TrySetResult();
}
