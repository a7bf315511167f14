using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The follower's role: takes appends from the leader (§5.3). If the logs differ, rejects the append with a conflict
/// hint. If no leader is heard, campaigns (§5.2).
/// </summary>
internal sealed class Follower(RaftCore core) : Role(core)
{
    /// <summary>Highest index known to match the log of this term's leader.</summary>
    private long matched;

    /// <summary>Highest index acknowledged to this term's leader.</summary>
    private long acknowledged;

    public void Enter()
    {
        matched = 0;
        acknowledged = 0;
    }

    public override void Tick()
    {
        // A sole voter needs no other server's answer, and there is no leader that it could disturb.
        if (Core.Timer.Tick() || Core.Configuration.IsSoleVoter(Core.Id))
            Core.Campaign();
    }

    public override EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations)
    {
        switch (message.Type)
        {
            case MessageType.Append:
                Core.FollowLeader(message.From);
                return OnAppend(message, entries, configurations);
            case MessageType.Heartbeat:
                Core.FollowLeader(message.From);
                OnHeartbeat(message);
                break;
            case MessageType.ReadIndexResponse:
                OnReadIndexResponse(message);
                break;
            // Thesis §3.10: the leader hands over. The leader steps down when it sees this server's higher term.
            case MessageType.TimeoutNow when MayTakeOver(message.From):
                Core.BecomeCandidate(isHandOver: true);
                break;
        }
        return EntryRange.None;
    }

    public override void OnDurable()
    {
        if (Core.LeaderId != 0 && Math.Min(matched, Core.Log.Durable) > acknowledged)
            Acknowledge();
    }

    /// <inheritdoc cref="RaftCore.AskAgain"/>
    public void AskAgain() => Core.Send(new Message
    {
        Type = MessageType.AppendResponse,
        To = Core.LeaderId,
        Rejected = true,
        Context = Core.Log.Last.Index,
        Position = Core.Log.Last,
    });

    /// <summary>A durable snapshot up to <paramref name="index"/> has replaced the log.</summary>
    public void Installed(long index)
    {
        matched = index;
        if (Core.LeaderId != 0)
            Acknowledge();
    }

    /// <summary>
    /// A server whose log write is overdue could not write its vote, and the term would have no leader. A server whose
    /// log read is overdue could not bring others up to date.
    /// </summary>
    private bool MayTakeOver(ulong from) =>
        from == Core.LeaderId && Core.Configuration.StaysVoter(Core.Id) && !Core.DiskHangs;

    private EntryRange OnAppend(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations)
    {
        RaftLog log = Core.Log;
        // §5.3: the consistency check.
        if (!log.Matches(message.Position))
        {
            Reject(message);
            return EntryRange.None;
        }
        // Entries below the log's base are known too: they are committed, and a snapshot covers them.
        int known = Known(entries);
        if (known < entries.Length && !MayAccept(entries[known]))
            return EntryRange.None;
        EntryRange accepted = Accept(entries[known..], configurations.IsEmpty ? [] : configurations[known..]);
        long lastNew = message.Position.Index + entries.Length;
        matched = Math.Max(matched, lastNew);
        // Figure 2: commitIndex = min(leaderCommit, index of last new entry).
        log.CommitTo(Math.Min(message.Commit, lastNew));
        // Entries that are not durable yet are acknowledged in OnDurable.
        if (log.Durable >= lastNew)
            Acknowledge();
        return accepted;
    }

    /// <summary>
    /// Rejects an append with a conflict hint, which lets the leader skip whole terms (§5.3, "the optimization"). The
    /// hint is this server's last entry at or below the previous index with a term not above the previous term. A
    /// leader's log has no greater term before its previous entry, so above the hint no entries can match. The leader
    /// then skips in its own log (<see cref="Leader"/>). In the style of figure 7, with a new leader of term 7:
    /// <code>
    /// index      1  2  3  4  5  6  7
    /// leader     1  1  1  4  4  4  4    probe after entry 7, term 4
    /// follower   1  1  1  4  5  6  6    entry 7 has term 6: reject
    ///                     └ hint: the follower's entry 4, its last of term 4 or below
    /// </code>
    /// </summary>
    private void Reject(in Message append) => Core.Send(new Message
    {
        Type = MessageType.AppendResponse,
        To = append.From,
        Rejected = true,
        Context = append.Position.Index,
        Position = Core.Log.LastNotAbove(append.Position.Index, append.Position.Term),
    });

    /// <summary>Counts the leading entries that the log already holds.</summary>
    private int Known(ReadOnlySpan<RecordHeader> entries)
    {
        int known = 0;
        while (known < entries.Length && Core.Log.Matches(entries[known].Position))
            known++;
        return known;
    }

    /// <summary>
    /// False while the append conflicts with the log and the log is not entirely durable; the leader then sends the
    /// append again. If an entry were removed while its write is under way, a later leader might bring the same entry
    /// back. The completion of the first write would then pass for the completion of the second.
    /// </summary>
    private bool MayAccept(in RecordHeader first) =>
        first.Position.Index > Core.Log.Last.Index || Core.Log.Durable == Core.Log.Last.Index;

    /// <summary>
    /// Appends the entries that the log doesn't hold (§5.3). Only a conflict removes entries. A delayed append, which
    /// the log already holds, changes nothing.
    /// </summary>
    private EntryRange Accept(ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations)
    {
        if (entries.IsEmpty)
            return EntryRange.None;
        Core.Log.TruncateFrom(entries[0].Position.Index);
        foreach (RecordHeader entry in entries)
            Core.Log.Append(entry.Position);
        for (int i = 0; i < configurations.Length; i++)
        {
            if (configurations[i] is { } configuration)
                Core.Log.Configurations.Append(entries[i].Position.Index, configuration);
        }
        return new EntryRange(entries[0].Position.Index, entries[^1].Position.Index);
    }

    private void OnHeartbeat(in Message message)
    {
        CommitTo(message.Commit);
        Core.Send(new Message
        {
            Type = MessageType.HeartbeatResponse,
            To = message.From,
            Context = message.Context,
            Count = Core.LacksRoom ? 1 : 0,
        });
    }

    private void OnReadIndexResponse(in Message message)
    {
        if (message.Rejected)
            return;
        CommitTo(message.Commit);
        Core.Ready.Reads.Add(new ReadState(message.Context, message.Position.Index));
    }

    /// <summary>Commits up to an index that the leader has from this server's own acknowledgements.</summary>
    private void CommitTo(long index)
    {
        if (index > Core.Log.Last.Index)
            throw new AcknowledgedEntriesLostException(Core.Id);
        Core.Log.CommitTo(index);
    }

    private void Acknowledge()
    {
        acknowledged = Math.Min(matched, Core.Log.Durable);
        Core.Send(new Message
        {
            Type = MessageType.AppendResponse,
            To = Core.LeaderId,
            Position = new LogPosition(0, acknowledged),
            Count = Core.LacksRoom ? 1 : 0,
        });
    }
}
