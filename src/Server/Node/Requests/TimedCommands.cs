using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Commands that only the leader proposes, when log time has come: deletions of keys whose time to live has passed, and
/// forgetting of old outcomes. The state decides when the entry is applied; a proposal that came too early changes
/// nothing.
/// </summary>
internal sealed class TimedCommands
{
    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly StateMachine state;
    private readonly ReadyExecutor executor;
    private readonly LogClock clock;
    private readonly long window;
    private readonly ProposeCommand propose;
    private readonly byte[] buffer =
        new byte[Record.LengthOf(KeyCommand.HeaderSize + PutCommand.KeyBytesMax)];

    /// <summary>
    /// Last command that was proposed. No further one is proposed before this one is applied, so none is proposed twice.
    /// </summary>
    private LogPosition last;

    /// <param name="window">Milliseconds of log time for which an outcome is remembered at least.</param>
    public TimedCommands(
        RaftCore core, Wal wal, StateMachine state, ReadyExecutor executor, LogClock clock, long window)
    {
        this.core = core;
        this.wal = wal;
        this.state = state;
        this.executor = executor;
        this.clock = clock;
        this.window = window;
        propose = TryPropose;
    }

    public void Propose()
    {
        if (!clock.IsCurrent)
            return;
        KeyValueStore store = state.Store;
        long now = clock.Now;
        bool expires = store.NextExpiry <= now;
        bool forgets = store.OldestOutcome < now - window;
        bool isOutstanding = last.Term == core.Term && last.Index > core.Log.Applied;
        if ((!expires && !forgets) || isOutstanding || core.IsHandingOver || core.MajorityLacksRoom)
            return;
        if (expires)
            store.ExpireAt(now, buffer, propose);
        if (forgets)
            Forget(now);
    }

    private void Forget(long now)
    {
        Span<byte> payload = buffer.AsSpan(Record.HeaderSize);
        int length = KeyCommand.WriteHead(
            payload, CommandOperation.Forget, default, default, default, Math.Max(0, now - window), now);
        Span<byte> record = buffer.AsSpan(0, Record.LengthOf(length));
        Record.Finish(record, RecordType.Command, length);
        TryPropose(record);
    }

    private bool TryPropose(Span<byte> record)
    {
        bool canWrite = wal.HasRoom(record.Length) && !core.LogWriteIsOverdue;
        if (!canWrite || core.Propose(record.Length) != ProposeResult.Accepted)
            return false;
        executor.PersistProposal(record);
        last = core.Log.Last;
        return true;
    }
}
