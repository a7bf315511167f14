namespace RaftFast.Http;

/// <summary>
/// A read without a client. If the probe is answered, the leader has confirmed this member's state. The state then has
/// every write that was acknowledged before the probe was submitted.
/// </summary>
public sealed class ReadProbe : IRequestOwner
{
    private readonly TaskCompletionSource<bool> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isMarked;

    public ReadProbe()
    {
        Request = new ClientRequest(this);
        // No client can name this key: a key begins with a slash.
        Request.BeginGet("probe"u8);
    }

    /// <summary>The request to submit, once.</summary>
    public ClientRequest Request { get; }

    /// <summary>True if the read was confirmed; false if its time was up first.</summary>
    public Task<bool> Done => done.Task;

    public bool MarkForResume()
    {
        bool isFirst = !isMarked;
        isMarked = true;
        return isFirst;
    }

    public void Resume() => done.TrySetResult(Request.Status == 404);
}
