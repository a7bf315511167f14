using System.Text;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>
/// Tells the operator of this member's role, of its leader, and of changes of the members: one line for each change.
/// </summary>
internal sealed partial class NodeLogLines(RaftCore core, ILogger logger)
{
    /// <summary>
    /// Ticks without a leader before the operator is warned. An election that succeeds at the first attempt takes less.
    /// </summary>
    public const int TicksToWarning = 50;

    private RoleName role;
    private ulong lastRemovalAsked;
    private ulong leader;
    private int ticksWithoutLeader;
    private bool hasWarned;
    private bool isRemoved;
    private bool wasStateFull;
    private bool diskHung;
    private bool readHung;
    private bool majorityLackedRoom;

    /// <summary>Learner whose waiting promotion the operator was told of; 0 if none waits.</summary>
    private ulong waitingLearner;

    public void OnTick()
    {
        if (core.LeaderId != 0)
            ticksWithoutLeader = 0;
        else if (ticksWithoutLeader < TicksToWarning)
            ticksWithoutLeader++;
    }

    /// <summary>Writes the lines for what has changed since the last call.</summary>
    /// <param name="isStateFull">True while the keys and values have reached their bound.</param>
    public void EndBatch(bool isStateFull)
    {
        if (isStateFull && !wasStateFull)
            StateIsFull(logger);
        else if (wasStateFull && !isStateFull)
            StateHasRoom(logger);
        wasStateFull = isStateFull;
        TellOfDisks();
        if (core.Role != role)
        {
            if (core.IsLeader)
                BecameLeader(logger, core.Term);
            else if (role == RoleName.Leader)
                SteppedDown(logger, core.Term);
            else if (core.Role == RoleName.Candidate)
                Campaigns(logger, core.Term);
        }
        if (core.LeaderId != leader && core.LeaderId != 0 && !core.IsLeader)
            Follows(logger, core.LeaderId, core.Term);
        TellOfPromotion();
        role = core.Role;
        leader = core.LeaderId;
        bool isLeaderless = leader == 0 && ticksWithoutLeader == TicksToWarning && !isRemoved;
        if (isLeaderless && !hasWarned)
        {
            hasWarned = true;
            HasNoLeader(logger);
        }
        else if (leader != 0 && hasWarned)
        {
            hasWarned = false;
            HasLeader(logger, leader);
        }
    }

    /// <summary>This member has been removed from the cluster, and needs no leader from here on.</summary>
    public void Removed()
    {
        isRemoved = true;
        HasBeenRemoved(logger, core.Id);
    }

    /// <summary>
    /// A client asks for the removal of a member. Warns, once for each id in a row, if a key has the name of that
    /// request: perhaps the client means the key.
    /// </summary>
    public void RemovalAsked(ulong id, KeyValueStore store)
    {
        if (id == lastRemovalAsked || store.TagOf(Encoding.ASCII.GetBytes($"/{id}")) == 0)
            return;
        lastRemovalAsked = id;
        RemovesMemberNotKey(logger, id);
    }

    /// <summary>A change of the members has been committed.</summary>
    public void MembersChanged(ClusterConfiguration before, ClusterConfiguration after)
    {
        foreach (Member member in after.Members)
        {
            Member? former = before.Find(member.Id);
            if (former is null && member.Role == MemberRole.Learner)
                MemberAdded(logger, member.Id, member.Address);
            else if (former is null || (former.Role != MemberRole.Voter && member.Role == MemberRole.Voter))
                MemberPromoted(logger, member.Id, member.Address);
            if (former is not null && former.Address != member.Address)
                MemberMoved(logger, member.Id, former.Address, member.Address);
        }
        foreach (Member member in before.Members)
        {
            if (after.Find(member.Id) is null)
                MemberRemoved(logger, member.Id);
        }
    }

    private void TellOfDisks()
    {
        if (core.LogWriteIsOverdue && !diskHung)
            DiskHangs(logger);
        else if (diskHung && !core.LogWriteIsOverdue)
            DiskAnswers(logger);
        diskHung = core.LogWriteIsOverdue;
        if (core.LogReadIsOverdue && !readHung)
            ReadHangs(logger);
        else if (readHung && !core.LogReadIsOverdue)
            ReadReturned(logger);
        readHung = core.LogReadIsOverdue;
        bool lacksRoom = core.MajorityLacksRoom;
        if (lacksRoom && !majorityLackedRoom)
            MajorityIsFull(logger);
        else if (majorityLackedRoom && !lacksRoom && core.IsLeader)
            MajorityHasRoom(logger);
        majorityLackedRoom = lacksRoom;
    }

    /// <summary>Tells of a promotion that waits, once for each learner while this member leads.</summary>
    private void TellOfPromotion()
    {
        (ulong learner, MissingVoters missing) = core.PromotionWait;
        if (learner != 0 && learner != waitingLearner)
        {
            waitingLearner = learner;
            PromotionWaits(logger, learner, missing.Count, missing.First);
        }
        else if (!core.IsLeader)
        {
            waitingLearner = 0;
        }
    }

    [LoggerMessage(LogLevel.Information, "became leader in term {Term}")]
    private static partial void BecameLeader(ILogger logger, long term);

    [LoggerMessage(LogLevel.Information, "stepped down as leader; the term is {Term}")]
    private static partial void SteppedDown(ILogger logger, long term);

    [LoggerMessage(LogLevel.Information, "campaigns in term {Term}")]
    private static partial void Campaigns(ILogger logger, long term);

    [LoggerMessage(LogLevel.Information, "follows member {Leader} in term {Term}")]
    private static partial void Follows(ILogger logger, ulong leader, long term);

    [LoggerMessage(LogLevel.Warning,
        "there is no leader: reads and writes wait for one, and are answered 503 after --request-timeout; "
        + "a majority of the voters must run and reach each other")]
    private static partial void HasNoLeader(ILogger logger);

    [LoggerMessage(
        LogLevel.Warning,
        "the keys and values have reached --state-max: a write that needs more memory is answered 507; "
        + "give the members more memory and a larger --state-max")]
    private static partial void StateIsFull(ILogger logger);

    [LoggerMessage(LogLevel.Information, "the keys and values are below --state-max again")]
    private static partial void StateHasRoom(ILogger logger);

    [LoggerMessage(LogLevel.Warning,
        "the disk does not answer: a write of the log has not returned; until the write returns, this member votes for "
        + "no other, and a leader takes no writes and hands leadership over; check the disk")]
    private static partial void DiskHangs(ILogger logger);

    [LoggerMessage(LogLevel.Information, "the disk answers again: the write of the log has returned")]
    private static partial void DiskAnswers(ILogger logger);

    [LoggerMessage(LogLevel.Warning,
        "the disk does not answer: a read of the log for a member that is far behind has not returned; until the read "
        + "returns, this member does not lead; check the disk")]
    private static partial void ReadHangs(ILogger logger);

    [LoggerMessage(LogLevel.Information, "the disk answers again: the read of the log has returned")]
    private static partial void ReadReturned(ILogger logger);

    [LoggerMessage(LogLevel.Warning,
        "no majority of the voters has room for the log: writes are answered 507; free space on their disks")]
    private static partial void MajorityIsFull(ILogger logger);

    [LoggerMessage(LogLevel.Information, "a majority of the voters has room for the log again")]
    private static partial void MajorityHasRoom(ILogger logger);

    [LoggerMessage(LogLevel.Information, "there is a leader now, member {Leader}: reads and writes are served")]
    private static partial void HasLeader(ILogger logger, ulong leader);

    [LoggerMessage(LogLevel.Information,
        "member {Id} has been removed from the cluster: it stops, and its id is never used again")]
    private static partial void HasBeenRemoved(ILogger logger, ulong id);

    [LoggerMessage(LogLevel.Warning,
        "DELETE /{Id} asks to remove member {Id}, and a key has the same name; "
        + "to delete the key, send the request with If-Match: *")]
    private static partial void RemovesMemberNotKey(ILogger logger, ulong id);

    [LoggerMessage(LogLevel.Information,
        "member {Id} at {Address} added as a learner: it becomes a voter once it has caught up")]
    private static partial void MemberAdded(ILogger logger, ulong id, PeerAddress address);

    [LoggerMessage(LogLevel.Information, "member {Id} at {Address} is a voter")]
    private static partial void MemberPromoted(ILogger logger, ulong id, PeerAddress address);

    [LoggerMessage(LogLevel.Warning,
        "member {Id} has caught up, but becomes a voter only once a majority of the voters writes: {Count} do not, "
        + "the first is member {Missing}; start that member again, or remove it with DELETE")]
    private static partial void PromotionWaits(ILogger logger, ulong id, int count, ulong missing);

    [LoggerMessage(LogLevel.Information, "member {Id} moved from {Former} to {Address}")]
    private static partial void MemberMoved(ILogger logger, ulong id, PeerAddress former, PeerAddress address);

    [LoggerMessage(LogLevel.Information, "member {Id} removed; its id is never used again")]
    private static partial void MemberRemoved(ILogger logger, ulong id);
}
