using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Proposes the commands that log time makes due, on the leader alone: deletions of keys whose time to live has passed,
/// and forgetting of old outcomes. Each command is checked against the state when its entry is applied, so a proposal
/// that came too early changes nothing.
/// </summary>
internal sealed class TimedCommands
{
    /// <summary>
    /// Milliseconds by which log time may be ahead of the time that has passed since an entry. The entry's time is
    /// rounded down, by less than a millisecond, and each further leader rounds once more. Log time stands still during
    /// an election, which takes longer than a millisecond, so ten are enough.
    /// </summary>
    private const long RoundingMax = 10;

    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly StateMachine state;
    private readonly ReadyExecutor executor;
    private readonly LogClock clock;
    private readonly long window;
    private readonly VisitKey expire;
    private readonly byte[] buffer =
        new byte[Record.LengthOf(KeyCommand.HeaderSize + PutCommand.KeyBytesMax)];

    /// <summary>
    /// Last command that was proposed. Further commands are proposed only once this one is applied, so no command is
    /// proposed twice.
    /// </summary>
    private LogPosition last;

    /// <summary>Log time of the commands being proposed.</summary>
    private long now;

    /// <param name="window">Minimum milliseconds of log time for which an outcome is remembered.</param>
    public TimedCommands(
        RaftCore core, Wal wal, StateMachine state, ReadyExecutor executor, LogClock clock, long window)
    {
        this.core = core;
        this.wal = wal;
        this.state = state;
        this.executor = executor;
        this.clock = clock;
        this.window = window;
        expire = (key, tag) => TryPropose(CommandOperation.Expire, key, tag);
    }

    public void Propose()
    {
        if (!clock.IsCurrent)
            return;
        KeyValueStore store = state.Store;
        now = clock.Now;
        long passed = now - RoundingMax;
        bool expires = store.NextExpiry <= passed;
        bool forgets = store.OldestOutcome < passed - window;
        bool isOutstanding = last.Term == core.Term && last.Index > core.Log.Applied;
        if ((!expires && !forgets) || isOutstanding || core.IsHandingOver || core.MajorityLacksRoom)
            return;
        if (expires)
            store.VisitExpired(passed, expire);
        if (forgets)
            TryPropose(CommandOperation.Forget, default, Math.Max(0, passed - window));
    }

    private bool TryPropose(CommandOperation operation, ReadOnlySpan<byte> key, long argument)
    {
        Span<byte> payload = buffer.AsSpan(Record.HeaderSize);
        int length = KeyCommand.WriteHead(payload, operation, default, default, key, argument, now);
        Span<byte> record = buffer.AsSpan(0, Record.LengthOf(length));
        bool canWrite = wal.HasRoom(record.Length) && !core.LogWriteIsOverdue;
        if (!canWrite || core.Propose(record.Length) != ProposeResult.Accepted)
            return false;
        Record.Finish(record, RecordType.Command, length);
        executor.PersistProposal(record);
        last = core.Log.Last;
        return true;
    }
}
