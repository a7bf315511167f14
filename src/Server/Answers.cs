using RaftFast.Http;

namespace RaftFast.Server;

/// <summary>What clients are told. Owners are resumed together, after a whole batch, so that each connection flushes once.</summary>
internal sealed class Answers
{
    private readonly List<IRequestOwner> touched = new(256);

    public void Written(ClientRequest request)
    {
        request.CompleteNoContent();
        Touch(request);
    }

    public void Found(ClientRequest request, ReadOnlySpan<byte> value)
    {
        request.CompleteValue(value);
        Touch(request);
    }

    public void NotFound(ClientRequest request)
    {
        request.CompleteNotFound();
        Touch(request);
    }

    /// <summary>503: not done, and never will be.</summary>
    public void NotDone(ClientRequest request) =>
        Error(request, 503, "Not done: no leader could take the request. Nothing was changed; try again.\n"u8);

    public void Busy(ClientRequest request) =>
        Error(request, 503, "Not done: too many requests are waiting. Nothing was changed; try again later.\n"u8);

    /// <summary>504: it may or may not take effect.</summary>
    public void OutcomeUnknown(ClientRequest request) =>
        Error(request, 504, "Outcome unknown: the write was proposed, but is not known to be committed. Read the key before writing again.\n"u8);

    public void DiskFull(ClientRequest request) =>
        Error(request, 507, "Not done: the disk has no room for the log. Nothing was changed; free space on the leader's disk.\n"u8);

    public void MembershipIsFixed(ClientRequest request) =>
        Error(request, 503, "Not done: this version can't change the cluster's members. Nothing was changed.\n"u8);

    /// <summary>Lets each owner that has got answers write them.</summary>
    public void Flush()
    {
        foreach (IRequestOwner owner in touched)
            owner.Resume();
        touched.Clear();
    }

    private void Error(ClientRequest request, int status, ReadOnlySpan<byte> body)
    {
        request.CompleteError(status, body);
        Touch(request);
    }

    private void Touch(ClientRequest request)
    {
        if (request.Owner.MarkForResume())
            touched.Add(request.Owner);
    }
}
