using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Writes and membership changes that have a place in the log and wait until that place is applied. If the write's own
/// entry is applied there, the write is done. If another entry is applied there, the write never will be done.
/// </summary>
internal sealed class PendingWrites(Answers answers)
{
    private readonly Dictionary<long, PendingWrite> byIndex = new(1024);
    private readonly RecentResults recent = new();

    public int Count => byIndex.Count;

    public void Add(ClientRequest request, LogPosition position, long deadline)
    {
        // An earlier leader may have given this index to another write, whose outcome stays unknown from now on.
        if (byIndex.Remove(position.Index, out PendingWrite former))
            answers.OutcomeUnknown(former.Request);
        byIndex.Add(position.Index, new PendingWrite(request, position.Term, deadline));
    }

    /// <summary>
    /// The leader has given a request this place in the log, which may have been applied here already.
    /// </summary>
    public void Placed(ClientRequest request, LogPosition position, long deadline, RaftLog log)
    {
        if (position.Index > log.Applied)
            Add(request, position, deadline);
        // A snapshot covers the entry: which request the entry belonged to is no longer known.
        else if (position.Index < log.Base.Index)
            answers.OutcomeUnknown(request);
        else if (!log.Matches(position))
            answers.NotDone(request, NotDoneReason.Overwritten);
        else if (!request.IsExtended)
            answers.Done(request, new CommandResult(CommandStatus.Done, request.IsWrite ? position.Index : 0));
        else if (recent.TryFind(position, out CommandResult result))
            answers.Done(request, result);
        else
            answers.OutcomeUnknown(request);
    }

    /// <param name="isExtended">True for a command of kind 2 or 3, whose result depends on the state.</param>
    public void Applied(LogPosition position, in CommandResult result, bool isExtended)
    {
        if (isExtended)
            recent.Add(position, result);
        if (!byIndex.Remove(position.Index, out PendingWrite write))
            return;
        // State Machine Safety (figure 3): no other entry will ever be applied at this index.
        if (write.Term == position.Term)
            answers.Done(write.Request, result);
        else
            answers.NotDone(write.Request, NotDoneReason.Overwritten);
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
