namespace RaftFast.Server.Loop;

/// <summary>
/// Request that the member give up leadership before the process stops. Done is complete when another member leads, or
/// none could take over.
/// </summary>
internal sealed class StopRequest
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Done => done.Task;

    public void Complete() => done.TrySetResult();
}
