using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Decides if a command of kind 2 or 3 may be proposed: every member must know the kind, and the table of outcomes must
/// have room for a new idempotency key. Gives the command its log time, once the leader knows it.
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
        request.IsExtended && !clock.IsCurrent && Head(request.Record).NeedsTime;

    /// <summary>True if the leader must not propose the command.</summary>
    /// <param name="record">Verified record of a command.</param>
    public bool Refuses(ReadOnlySpan<byte> record) =>
        RefusesToForward(record) || (!clock.IsCurrent && VersionOf(record) > 1 && Head(record).NeedsTime);

    /// <summary>
    /// True if a leader would refuse the command, or might not know its kind. This member refuses in advance what the
    /// leader would refuse: a refusal by the leader also ends the other clients' writes in the same frame.
    /// </summary>
    /// <param name="record">Verified record of a command.</param>
    public bool RefusesToForward(ReadOnlySpan<byte> record) =>
        VersionOf(record) > 1 && (versions.FindOlder(VersionOf(record)) != 0 || LacksRoom(record));

    /// <summary>Answers a request that is refused.</summary>
    public void Refuse(ClientRequest request, Answers answers)
    {
        if (versions.FindOlder(VersionOf(request.Record)) is not 0 and var member)
            answers.NotUnderstood(request, member);
        else
            answers.NotDone(request, NotDoneReason.OutcomesFull);
    }

    /// <summary>The core has accepted the command. Sets its log time if it needs one.</summary>
    public void Proposed(Span<byte> record, in RecordHeader header)
    {
        if (VersionOf(record) == 1)
            return;
        CommandHead.SetTime(record, header, clock.Now);
        if (!Head(record).Token.IsEmpty)
            proposed.Enqueue(core.Log.Last.Index);
    }

    private static int VersionOf(ReadOnlySpan<byte> record) => CommandHead.VersionOf(record[Record.HeaderSize..]);

    private static CommandHead Head(ReadOnlySpan<byte> record)
    {
        DecodeStatus status = Record.TryReadHeader(record, out RecordHeader header);
        Invariant.Hold(status == DecodeStatus.Complete);
        return CommandHead.Read(Record.Payload(record, header));
    }

    private bool LacksRoom(ReadOnlySpan<byte> record)
    {
        while (proposed.TryPeek(out long index) && index <= core.Log.Applied)
            proposed.Dequeue();
        CommandHead command = Head(record);
        return !command.Token.IsEmpty
            && state.Store.OutcomeBytesWith(proposed.Count + 1) > outcomeBytesMax
            && !state.Store.HasOutcome(command.Token);
    }
}
