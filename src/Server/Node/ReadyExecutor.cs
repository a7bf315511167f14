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
    AppliedTransactions transactions, PendingReads reads, FollowerReads followerReads, HardState recovered)
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

    /// <summary>Term that <see cref="hardStateBatch"/> makes durable.</summary>
    private long publishedTerm = recovered.Term;

    /// <summary>Greatest term that is known to be durable.</summary>
    private long durableTerm = recovered.Term;

    /// <summary>Last batch that is on stable storage.</summary>
    private long durableBatch;

    /// <summary>First batch after the log was last reset.</summary>
    private long resetBatch;

    /// <summary>Bytes of all records that this process has applied.</summary>
    public long AppliedBytes { get; private set; }

    /// <summary>
    /// Bytes that applied entries have added to the history of changes, and bytes that were copied for clients. A short
    /// entry may add many bytes, as a transaction that deletes a thousand keys does.
    /// </summary>
    private long EffectBytes => state.HistoryBytes + transactions.CopiedBytes;

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
        if (durableBatch >= hardStateBatch)
            durableTerm = publishedTerm;
        core.LogWriteEnded(isNextOut: wal.HasWriteOut);
        // A batch from before a reset holds entries that are no longer in the log.
        if (batch.Number >= resetBatch)
            core.DurableTo(batch.Last);
    }

    /// <summary>Another thread has read entries for a follower.</summary>
    public void EntriesRead(FollowerRead read) => followerReads.OnRead(read);

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
            (hardStateBatch, publishedTerm) = (batch, persisted.Term);
        hardStateIsUnpublished = false;
        return true;
    }

    /// <summary>
    /// Adds the answer to a write or a membership change that another member has forwarded. A refusal speaks for no
    /// term, so it carries a term that is durable already. Without such a term this member cannot answer: the sender
    /// saw it lead before it lost its disk.
    /// </summary>
    /// <param name="answer">The answer; From and Term are set here.</param>
    public void Answer(in Message answer, bool isRefusal)
    {
        if (durableTerm > 0)
            core.Ready.Messages.Add(answer with { From = core.Id, Term = isRefusal ? durableTerm : core.Term });
    }

    /// <summary>Sends the core's messages, and to each member the appends that its window allows.</summary>
    public void Send(ReadOnlySpan<ulong> members)
    {
        // Raft paper, figure 2: term and vote are durable before any message that depends on them leaves. Called after
        // Publish: the term and vote of these messages are in hardStateBatch or an earlier batch.
        if (durableBatch < hardStateBatch)
        {
            SendAnswers();
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
        long effectsMax = EffectBytes + ApplyBytesMax;
        while (HasMoreToApply && AppliedBytes < bytesMax && EffectBytes < effectsMax)
        {
            ReadOnlySpan<byte> records =
                wal.Read(core.Log.Applied + 1, core.Log.Committed, ApplyBytesMax, out _);
            AppliedBytes += Apply(records, effectsMax);
            core.AppliedTo(state.Store.AppliedIndex);
        }
        wal.Release(core.Log.Applied, core.ReplicatedTo);
        reads.Answer();
    }

    /// <summary>Applies entries until their effects reach the bound.</summary>
    /// <returns>Bytes of the applied records.</returns>
    private int Apply(ReadOnlySpan<byte> records, long effectsMax)
    {
        int bytes = records.Length;
        while (!records.IsEmpty && EffectBytes < effectsMax)
        {
            DecodeStatus status = Record.TryReadHeader(records, out RecordHeader header);
            Invariant.Hold(status == DecodeStatus.Complete);
            Invariant.Hold(header.Position.Term == core.Log.TermAt(header.Position.Index));
            ApplyResult result = state.Apply(header, records[..header.RecordLength]);
            ReadOnlySpan<byte> payload = Record.Payload(records, header);
            bool isExtended = header.Type == RecordType.Command && CommandHead.VersionOf(payload) > 1;
            if (isExtended && CommandHead.Read(payload).NeedsTime)
                clock.TimedEntryApplied(header.Position.Term);
            if (isExtended && CommandHead.IsTransaction(payload))
                transactions.Add(payload, result.Result);
            writes.Applied(header.Position, result.Result, isExtended);
            if (!result.Changed.IsEmpty)
                reads.Changed(result.Changed);
            records = records[header.RecordLength..];
        }
        return bytes - records.Length;
    }

    /// <summary>
    /// Sends the answers to forwarded writes and changes, if the term in which they were given is durable. Figure 2
    /// asks no more: a position in that term stays unique, whatever becomes of a later term. No other answer would
    /// come, and the sender learns of a loss only from the end of a connection.
    /// </summary>
    private void SendAnswers()
    {
        List<Message> messages = core.Ready.Messages;
        int heldCount = 0;
        for (int i = 0; i < messages.Count; i++)
        {
            Message message = messages[i];
            bool isAnswer = message.Type is MessageType.ForwardResponse or MessageType.ChangeMembersResponse;
            if (isAnswer && message.Term <= durableTerm)
                network.Send(message, default);
            else
                messages[heldCount++] = message;
        }
        messages.RemoveRange(heldCount, messages.Count - heldCount);
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
    /// Sends one append. Entries that are in memory go together, even from several batches of the log. For older
    /// entries, the append waits until another thread has read them.
    /// </summary>
    /// <returns>Bytes of its records; -1 when there is no connection, or the append waits.</returns>
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
            ReadOnlySpan<byte> records = followerReads.Take(member, first, out count);
            return !records.IsEmpty && network.Send(append with { Count = count }, records) ? records.Length : -1;
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
