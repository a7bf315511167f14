using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Decides if a command of kind 2 may be proposed: every member must know the kind, and the table of outcomes must have
/// room for a new idempotency key. Gives the command its log time, once the leader knows it.
/// </summary>
/// <param name="outcomeBytesMax">Bytes of outcomes at which a new idempotency key is refused.</param>
internal sealed class CommandGate(
    RaftCore core, StateMachine state, CommandVersions versions, LogClock clock, long outcomeBytesMax)
{
    /// <summary>Indices of proposed commands with an idempotency key that are not applied yet.</summary>
    private readonly Queue<long> proposed = new();

    public long OutcomeBytesMax => outcomeBytesMax;

    /// <summary>
    /// True while a new leader can't give the command its time: this takes until the entry that opened the term is
    /// applied.
    /// </summary>
    public bool MustWait(ClientRequest request) =>
        request.IsExtended && !clock.IsCurrent && IsTimed(request.Record);

    /// <summary>True if the leader must not propose the command.</summary>
    /// <param name="record">Verified record of a command.</param>
    public bool Refuses(ReadOnlySpan<byte> record) =>
        RefusesToForward(record) || (IsExtended(record) && IsTimed(record) && !clock.IsCurrent);

    /// <summary>
    /// True if a leader would refuse the command, or might not know its kind. This member refuses in advance what the
    /// leader would refuse: a refusal by the leader also ends the other clients' writes in the same frame.
    /// </summary>
    /// <param name="record">Verified record of a command.</param>
    public bool RefusesToForward(ReadOnlySpan<byte> record) =>
        IsExtended(record) && (versions.FindOlder() != 0 || LacksRoom(record));

    /// <summary>Answers a request that is refused.</summary>
    public void Refuse(ClientRequest request, Answers answers)
    {
        if (versions.FindOlder() is not 0 and var member)
            answers.NotUnderstood(request, member);
        else
            answers.NotDone(request, NotDoneReason.OutcomesFull);
    }

    /// <summary>The core has accepted the command. Sets its log time if it needs one.</summary>
    public void Proposed(Span<byte> record, in RecordHeader header)
    {
        Span<byte> payload = record.Slice(Record.HeaderSize, header.PayloadLength);
        if (!KeyCommand.IsExtended(payload))
            return;
        KeyCommand.SetTime(record, header, clock.Now);
        KeyCommand.TryRead(payload, out KeyCommand command);
        if (!command.Token.IsEmpty)
            proposed.Enqueue(core.Log.Last.Index);
    }

    private static bool IsExtended(ReadOnlySpan<byte> record) => KeyCommand.IsExtended(record[Record.HeaderSize..]);

    private static bool IsTimed(ReadOnlySpan<byte> record)
    {
        Record.TryReadHeader(record, out RecordHeader header);
        return KeyCommand.IsTimed(Record.Payload(record, header));
    }

    private bool LacksRoom(ReadOnlySpan<byte> record)
    {
        while (proposed.TryPeek(out long index) && index <= core.Log.Applied)
            proposed.Dequeue();
        Record.TryReadHeader(record, out RecordHeader header);
        KeyCommand.TryRead(Record.Payload(record, header), out KeyCommand command);
        return !command.Token.IsEmpty
            && state.Store.OutcomeBytesWith(proposed.Count + 1) > outcomeBytesMax
            && !state.Store.HasOutcome(command.Token);
    }
}
