using System.Text;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>What clients are told. Owners are resumed together, after a whole batch, so that each connection flushes once.</summary>
internal sealed class Answers
{
    private const int MillisecondsHere = 5;

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

    /// <param name="reason">What is wrong with the URL and what would be right.</param>
    public void BadAddress(ClientRequest request, string reason) => Error(request, 400, Encoding.UTF8.GetBytes($"Not done: {reason}\n"));

    public void Refused(ClientRequest request, ChangeRefusal refusal)
    {
        switch (refusal)
        {
            case ChangeRefusal.ChangeUnderWay:
                Error(request, 409, "Not done: another change of the members is under way. Nothing was changed; try again.\n"u8);
                break;
            case ChangeRefusal.IdInUse:
                Error(request, 409, "Not done: this id is a member's under another URL. Remove that member first and add the node under a new id.\n"u8);
                break;
            case ChangeRefusal.IdWasRemoved:
                Error(request, 409, "Not done: a member of this id was removed, and ids are never used again. Choose a new one.\n"u8);
                break;
            case ChangeRefusal.AddressInUse:
                Error(request, 409, "Not done: this URL is another member's. Give the node its own.\n"u8);
                break;
            case ChangeRefusal.LastVoter:
                Error(request, 409, "Not done: it is the last voter, and nobody would be left to agree. Add another member first.\n"u8);
                break;
            case ChangeRefusal.TooManyMembers:
                Error(request, 409, "Not done: the cluster can't have or remember more members.\n"u8);
                break;
            case ChangeRefusal.DiskFull:
                DiskFull(request);
                break;
            default:
                NotDone(request);
                break;
        }
    }

    /// <summary>Lets each owner that has got answers write them: here, as long as that doesn't take too long.</summary>
    public void Flush()
    {
        long end = Environment.TickCount64 + MillisecondsHere;
        foreach (IRequestOwner owner in touched)
        {
            if (Environment.TickCount64 < end)
                owner.Resume();
            else
                owner.ResumeElsewhere();
        }
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
