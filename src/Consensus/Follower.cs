using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>§5.2, §5.3: responds to a leader, and campaigns when it hears from none.</summary>
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
        // A sole voter needs nobody's answer, and there is no leader that it could disturb.
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
            // Thesis §3.10: the leader hands over. It leads no more once this server's higher term gets around.
            case MessageType.TimeoutNow when Core.Configuration.StaysVoter(Core.Id) && message.From == Core.LeaderId:
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

    /// <summary>A snapshot has taken the place of the log, up to this index, and is durable.</summary>
    public void Installed(long index)
    {
        matched = index;
        Acknowledge();
    }

    private EntryRange OnAppend(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations)
    {
        RaftLog log = Core.Log;
        if (!log.Matches(message.Position))
        {
            // §5.3: the consistency check. The hint lets the leader skip whole terms.
            Core.Send(new Message
            {
                Type = MessageType.AppendResponse,
                To = message.From,
                Rejected = true,
                Context = message.Position.Index,
                Position = log.LastNotAbove(message.Position.Index, message.Position.Term),
            });
            return EntryRange.None;
        }
        // What is below the base is known: it is committed, and a snapshot covers it.
        int known = Known(entries);
        if (known < entries.Length && !MayAccept(entries[known]))
            return EntryRange.None;
        EntryRange accepted = Accept(entries[known..], configurations.IsEmpty ? [] : configurations[known..]);
        long lastNew = message.Position.Index + entries.Length;
        matched = Math.Max(matched, lastNew);
        // Figure 2: commitIndex = min(leaderCommit, index of last new entry).
        log.CommitTo(Math.Min(message.Commit, lastNew));
        // What isn't durable yet is acknowledged when it is (OnDurable).
        if (log.Durable >= lastNew)
            Acknowledge();
        return accepted;
    }

    /// <summary>How many of the entries the log already holds.</summary>
    private int Known(ReadOnlySpan<RecordHeader> entries)
    {
        int known = 0;
        while (known < entries.Length && Core.Log.Matches(entries[known].Position))
            known++;
        return known;
    }

    /// <summary>
    /// A conflict waits until all that it could remove is durable; the leader sends again. An entry removed while its write
    /// is under way may come back with a later leader, and the first write's completion would pass for the second's.
    /// </summary>
    private bool MayAccept(in RecordHeader first) =>
        first.Position.Index > Core.Log.Last.Index || Core.Log.Durable == Core.Log.Last.Index;

    /// <summary>§5.3: only a conflict removes entries; an append that the log already holds, as a delayed one does, changes nothing.</summary>
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
        Core.Send(new Message { Type = MessageType.HeartbeatResponse, To = message.From, Context = message.Context });
    }

    private void OnReadIndexResponse(in Message message)
    {
        if (message.Rejected)
            return;
        CommitTo(message.Commit);
        Core.Ready.Reads.Add(new ReadState(message.Context, message.Position.Index));
    }

    /// <param name="index">Not above what this server has acknowledged to the leader.</param>
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
        });
    }
}
