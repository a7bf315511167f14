using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Writes that have a place in the log and wait for that place to be applied: then the entry there is theirs, and they
/// are done, or another's, and theirs will never be.
/// </summary>
internal sealed class PendingWrites(Answers answers)
{
    private readonly Dictionary<long, PendingWrite> byIndex = new(1024);

    public void Add(ClientRequest request, LogPosition position, long deadline)
    {
        // An earlier leader may have given this index to another write, whose outcome will now stay open.
        if (byIndex.Remove(position.Index, out PendingWrite former))
            answers.OutcomeUnknown(former.Request);
        byIndex.Add(position.Index, new PendingWrite(request, position.Term, deadline));
    }

    /// <summary>The leader has given a request this place, which may have been passed here already.</summary>
    public void Placed(ClientRequest request, LogPosition position, long deadline, RaftLog log)
    {
        if (position.Index > log.Applied)
            Add(request, position, deadline);
        // A snapshot has taken the entry's place, and whose it was is not known any more.
        else if (position.Index < log.Base.Index)
            answers.OutcomeUnknown(request);
        else if (log.Matches(position))
            answers.Written(request);
        else
            answers.NotDone(request);
    }

    public void Applied(LogPosition position)
    {
        if (!byIndex.Remove(position.Index, out PendingWrite write))
            return;
        // State Machine Safety (figure 3): what is applied at an index is all that ever will be.
        if (write.Term == position.Term)
            answers.Written(write.Request);
        else
            answers.NotDone(write.Request);
    }

    public void Expire(long now)
    {
        foreach ((long index, PendingWrite write) in byIndex)
        {
            if (write.Deadline > now)
                continue;
            byIndex.Remove(index);
            answers.OutcomeUnknown(write.Request);
        }
    }

    private readonly record struct PendingWrite(ClientRequest Request, long Term, long Deadline);
}
