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

    public override EntryRange Step(in Message message, ReadOnlySpan<RecordHeader> entries)
    {
        switch (message.Type)
        {
            case MessageType.Append:
                Core.FollowLeader(message.From);
                return OnAppend(message, entries);
            case MessageType.Heartbeat:
                Core.FollowLeader(message.From);
                OnHeartbeat(message);
                break;
            case MessageType.ReadIndexResponse:
                OnReadIndexResponse(message);
                break;
        }
        return EntryRange.None;
    }

    public override void OnDurable()
    {
        if (Core.LeaderId != 0 && Math.Min(matched, Core.Log.Durable) > acknowledged)
            Acknowledge();
    }

    private EntryRange OnAppend(in Message message, ReadOnlySpan<RecordHeader> entries)
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
        EntryRange accepted = Accept(entries);
        long lastNew = message.Position.Index + entries.Length;
        matched = Math.Max(matched, lastNew);
        // Figure 2: commitIndex = min(leaderCommit, index of last new entry).
        log.CommitTo(Math.Min(message.Commit, lastNew));
        // What isn't durable yet is acknowledged when it is (OnDurable).
        if (log.Durable >= lastNew)
            Acknowledge();
        return accepted;
    }

    /// <summary>§5.3: only a conflict removes entries; an append that the log already holds, as a delayed one does, changes nothing.</summary>
    private EntryRange Accept(ReadOnlySpan<RecordHeader> entries)
    {
        RaftLog log = Core.Log;
        int known = 0;
        while (known < entries.Length && log.Matches(entries[known].Position))
            known++;
        if (known == entries.Length)
            return EntryRange.None;
        log.TruncateFrom(entries[known].Position.Index);
        foreach (RecordHeader entry in entries[known..])
            log.Append(entry.Position);
        return new EntryRange(entries[known].Position.Index, entries[^1].Position.Index);
    }

    private void OnHeartbeat(in Message message)
    {
        Core.Log.CommitTo(message.Commit);
        Core.Send(new Message { Type = MessageType.HeartbeatResponse, To = message.From, Context = message.Context });
    }

    private void OnReadIndexResponse(in Message message)
    {
        if (message.Rejected)
            return;
        Core.Log.CommitTo(message.Commit);
        Core.Ready.Reads.Add(new ReadState(message.Context, message.Position.Index));
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
