using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node.Requests;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Node;

/// <summary>
/// Does what the core wants, in the safe order: what an input changed goes to the write-ahead log at once; a message
/// leaves when the term and vote that it speaks for are durable; an entry is applied when it is committed.
/// </summary>
internal sealed class ReadyExecutor(
    RaftCore core, Wal wal, StateMachine state, IPeerNetwork network, PendingWrites writes, PendingReads reads, HardState recovered)
{
    /// <summary>Records applied at a time, so that a long log doesn't keep messages waiting.</summary>
    private const int ApplyBytesMax = 1024 * 1024;

    private readonly byte[] noOp = new byte[Record.HeaderSize];

    private HardState persisted = recovered;
    private bool hardStateIsUnpublished;
    private long hardStateBatch;
    private long durableBatch;
    private long restartBatch;

    /// <summary>Of all records applied by this process.</summary>
    public long AppliedBytes { get; private set; }

    /// <summary>Whether Apply has left committed entries to apply.</summary>
    public bool HasMoreToApply => core.Log.Applied < core.Log.Committed;

    /// <summary>After every input: puts the core's term and vote, and the entry with which it opened a term, into the log's open batch.</summary>
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

    /// <summary>The entries of an Append that the core took; others' records stay out.</summary>
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

    /// <summary>A record that the core has accepted as a proposal: it gets its place.</summary>
    public void PersistProposal(Span<byte> record) => AppendStamped(record, core.Log.Last);

    /// <summary>A batch of the log is on stable storage.</summary>
    public void BatchDurable(in WalBatch batch)
    {
        wal.Completed(batch);
        durableBatch = batch.Number;
        // Of the log before a snapshot took its place nothing is left to be durable.
        if (batch.Number >= restartBatch)
            core.DurableTo(batch.Last);
    }

    /// <summary>The log was emptied for a snapshot, and goes on with this batch, which holds term and vote.</summary>
    public void LogReset(long batch)
    {
        restartBatch = batch;
        persisted = core.HardState;
        hardStateIsUnpublished = true;
    }

    /// <summary>Hands what the batch of inputs appended to the log's writer.</summary>
    /// <returns>Whether there was anything.</returns>
    public bool Publish()
    {
        if (!wal.TryPublish(out long batch))
            return false;
        if (hardStateIsUnpublished)
            hardStateBatch = batch;
        hardStateIsUnpublished = false;
        return true;
    }

    public void Send(ReadOnlySpan<ulong> servers)
    {
        // Raft paper, figure 2: term and vote are on stable storage before anything is said that depends on them.
        if (durableBatch < hardStateBatch)
            return;
        foreach (Message message in core.Ready.Messages)
            network.Send(message, default);
        core.Ready.Messages.Clear();
        foreach (ulong server in servers)
        {
            if (server != core.Id)
                SendAppends(server);
        }
    }

    /// <summary>Applies what is committed, up to a bound, and answers those who waited for it.</summary>
    public void Apply()
    {
        foreach (ReadState read in core.Ready.Reads)
            reads.Confirmed(read);
        core.Ready.Reads.Clear();
        long bytesMax = AppliedBytes + ApplyBytesMax;
        while (HasMoreToApply && AppliedBytes < bytesMax)
        {
            ReadOnlySpan<byte> records = wal.Read(core.Log.Applied + 1, core.Log.Committed, ApplyBytesMax, out int count);
            long last = core.Log.Applied + count;
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
            state.Store.Apply(header, records[..header.RecordLength]);
            writes.Applied(header.Position);
            records = records[header.RecordLength..];
        }
    }

    private void SendAppends(ulong server)
    {
        while (network.CanSend(server) && core.TryNextAppend(server, out Message append))
        {
            int bytes = TrySendAppend(server, append, out int count);
            if (bytes < 0)
                return;
            core.AppendSent(server, count, bytes);
        }
    }

    /// <summary>What queued in memory goes as one append, however many batches of the log it is in.</summary>
    /// <returns>Bytes of its records; -1 when there is no connection.</returns>
    private int TrySendAppend(ulong server, in Message append, out int count)
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
            network.Write(server, wal.Read(first, last, bytes, out int run));
            first += run;
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
