using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node.Requests;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node;

/// <summary>
/// Carries out what the core wants, in the safe order. Changes to term, vote and log go to the write-ahead log at once.
/// A message leaves when the term and vote that it depends on are durable. An entry is applied when it is committed.
/// </summary>
internal sealed class ReadyExecutor(
    RaftCore core, Wal wal, StateMachine state, LogClock clock, IPeerNetwork network, PendingWrites writes,
    PendingReads reads, HardState recovered)
{
    /// <summary>Bytes of records applied at a time: a bound, so that a long log doesn't delay messages.</summary>
    private const int ApplyBytesMax = 1024 * 1024;

    private readonly byte[] noOp = new byte[Record.HeaderSize];

    /// <summary>Term and vote as last appended to the log.</summary>
    private HardState persisted = recovered;

    /// <summary>
    /// True while <see cref="persisted"/> is in the log's open batch, which the writer doesn't have yet.
    /// </summary>
    private bool hardStateIsUnpublished;

    /// <summary>Batch that holds the last published term and vote.</summary>
    private long hardStateBatch;

    /// <summary>Last batch that is on stable storage.</summary>
    private long durableBatch;

    /// <summary>First batch after the log was last reset.</summary>
    private long resetBatch;

    /// <summary>Bytes of all records that this process has applied.</summary>
    public long AppliedBytes { get; private set; }

    /// <summary>True while there are committed entries that Apply has left for later.</summary>
    public bool HasMoreToApply => core.Log.Applied < core.Log.Committed;

    /// <summary>
    /// Appends to the log's open batch the core's term and vote, and the entry that opens a new leader's term. Called
    /// after every input.
    /// </summary>
    public void Persist()
    {
        PersistHardState();
        if (wal.Last.Index == core.Log.Last.Index)
            return;
        // Only a new leader adds an entry of its own accord (§8).
        Invariant.Hold(core.IsLeader);
        Invariant.Hold(wal.Last.Index + 1 == core.Log.Last.Index);
        Record.Finish(noOp, RecordType.NoOp, 0);
        AppendStamped(noOp, core.Log.Last);
    }

    /// <summary>
    /// Appends the records of an Append that the core accepted; the records before them are in the log already.
    /// </summary>
    public void PersistAccepted(EntryRange accepted, ReadOnlySpan<byte> records)
    {
        PersistHardState();
        if (accepted.IsEmpty)
            return;
        while (!records.IsEmpty)
        {
            DecodeStatus status = Record.TryReadHeader(records, out RecordHeader header);
            Invariant.Hold(status == DecodeStatus.Complete);
            if (header.Position.Index >= accepted.First)
                wal.Append(records[..header.RecordLength], header);
            records = records[header.RecordLength..];
        }
        Invariant.Hold(wal.Last == core.Log.Last);
    }

    /// <summary>Stamps a record that the core has accepted as a proposal with its position, and appends it.</summary>
    public void PersistProposal(Span<byte> record) => AppendStamped(record, core.Log.Last);

    /// <summary>A batch of the log is on stable storage.</summary>
    public void BatchDurable(in WalBatch batch)
    {
        wal.Completed(batch);
        durableBatch = batch.Number;
        core.LogWriteEnded(isNextOut: wal.HasWriteOut);
        // A batch from before a reset holds entries that are no longer in the log.
        if (batch.Number >= resetBatch)
            core.DurableTo(batch.Last);
    }

    /// <summary>
    /// The log was reset for a snapshot. The log continues with this batch, which holds term and vote.
    /// </summary>
    public void LogReset(long batch)
    {
        resetBatch = batch;
        persisted = core.HardState;
        hardStateIsUnpublished = true;
    }

    /// <summary>An installed snapshot has replaced the state.</summary>
    public void StateReplaced()
    {
        clock.StateReplaced();
        reads.StateReplaced();
    }

    /// <summary>Hands the log's open batch to the writer.</summary>
    /// <returns>False when the batch is empty.</returns>
    public bool Publish()
    {
        if (!wal.TryPublish(out long batch))
            return false;
        core.LogWriteBegun();
        if (hardStateIsUnpublished)
            hardStateBatch = batch;
        hardStateIsUnpublished = false;
        return true;
    }

    /// <summary>Sends the core's messages, and to each member the appends that its window allows.</summary>
    public void Send(ReadOnlySpan<ulong> members)
    {
        // Raft paper, figure 2: term and vote are durable before any message that depends on them leaves. Called after
        // Publish: the term and vote of these messages are in hardStateBatch or an earlier batch.
        if (durableBatch < hardStateBatch)
        {
            // A disk may hang for hours, and these messages would fill the memory. Messages may be lost.
            if (core.LogWriteIsOverdue)
                core.Ready.Messages.Clear();
            return;
        }
        foreach (Message message in core.Ready.Messages)
            network.Send(message, default);
        core.Ready.Messages.Clear();
        foreach (ulong member in members)
        {
            if (member != core.Id)
                SendAppends(member);
        }
    }

    /// <summary>
    /// Applies committed entries, up to a bound of bytes, and answers the requests that waited for them.
    /// </summary>
    public void Apply()
    {
        foreach (ReadState read in core.Ready.Reads)
            reads.Confirmed(read);
        core.Ready.Reads.Clear();
        long bytesMax = AppliedBytes + ApplyBytesMax;
        while (HasMoreToApply && AppliedBytes < bytesMax)
        {
            long first = core.Log.Applied + 1;
            ReadOnlySpan<byte> records = wal.Read(first, core.Log.Committed, ApplyBytesMax, out int count);
            long last = first + count - 1;
            Apply(records);
            Invariant.Hold(state.Store.AppliedIndex == last);
            AppliedBytes += records.Length;
            core.AppliedTo(last);
        }
        wal.Release(core.Log.Applied, core.ReplicatedTo);
        reads.Answer();
    }

    private void Apply(ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            DecodeStatus status = Record.TryReadHeader(records, out RecordHeader header);
            Invariant.Hold(status == DecodeStatus.Complete);
            Invariant.Hold(header.Position.Term == core.Log.TermAt(header.Position.Index));
            ApplyResult result = state.Apply(header, records[..header.RecordLength]);
            bool isExtended = header.Type == RecordType.Command
                && KeyCommand.IsExtended(Record.Payload(records, header));
            if (isExtended && KeyCommand.IsTimed(Record.Payload(records, header)))
                clock.TimedEntryApplied(header.Position.Term);
            writes.Applied(header.Position, result, isExtended);
            if (!result.Changed.IsEmpty)
                reads.Changed(result.Changed);
            records = records[header.RecordLength..];
        }
    }

    private void SendAppends(ulong member)
    {
        while (network.CanSend(member) && core.TryNextAppend(member, out Message append))
        {
            int bytes = TrySendAppend(member, append, out int count);
            if (bytes < 0)
                return;
            core.AppendSent(member, count, bytes);
        }
    }

    /// <summary>
    /// Sends one append. Entries that are in memory go together, even from several batches of the log; older entries
    /// are read from the disk.
    /// </summary>
    /// <returns>Bytes of its records; -1 when there is no connection.</returns>
    private int TrySendAppend(ulong member, in Message append, out int count)
    {
        long first = append.Position.Index + 1;
        long last = core.Log.Last.Index;
        count = 0;
        if (first > last)
            return network.Send(append, default) ? 0 : -1;
        int bytes = wal.MeasureInMemory(first, last, core.AppendBytesMax, out count);
        if (bytes == 0)
        {
            ReadOnlySpan<byte> records = wal.Read(first, last, core.AppendBytesMax, out count);
            return network.Send(append with { Count = count }, records) ? records.Length : -1;
        }
        if (!network.Begin(append with { Count = count }, bytes))
            return -1;
        last = first + count - 1;
        while (first <= last)
        {
            network.Write(member, wal.Read(first, last, bytes, out int read));
            first += read;
        }
        return bytes;
    }

    private void PersistHardState()
    {
        if (core.HardState == persisted)
            return;
        Invariant.Hold(core.HardState.Term >= persisted.Term);
        Invariant.Hold(core.HardState.Term > persisted.Term || persisted.Vote == 0);
        wal.AppendHardState(core.HardState);
        persisted = core.HardState;
        hardStateIsUnpublished = true;
    }

    private void AppendStamped(Span<byte> record, LogPosition position)
    {
        Record.Stamp(record, position);
        DecodeStatus status = Record.TryReadHeader(record, out RecordHeader header);
        Invariant.Hold(status == DecodeStatus.Complete);
        wal.Append(record, header);
    }
}
