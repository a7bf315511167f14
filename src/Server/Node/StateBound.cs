using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// Bounds the memory of keys and values. All members hold the same state, so without a bound all members would run out
/// of memory at once, and again at each start. Writes that are proposed and not applied yet do not count: the core
/// bounds their bytes.
/// </summary>
/// <param name="bytesMax">Bytes of state at which a write is refused if it needs more memory.</param>
internal sealed class StateBound(StateMachine state, long bytesMax)
{
    public long BytesMax => bytesMax;

    public long Bytes => state.Store.StateBytes;

    public long Keys => state.Store.Count;

    public bool IsReached => state.Store.StateBytes >= bytesMax;

    /// <summary>
    /// True if there is room for the write, or if the write deletes keys or replaces values that are no smaller. A
    /// write with an idempotency key leaves an outcome, which always needs room.
    /// </summary>
    /// <param name="record">Verified record.</param>
    public bool Admits(ReadOnlySpan<byte> record)
    {
        if (!IsReached)
            return true;
        DecodeStatus status = Record.TryReadHeader(record, out RecordHeader header);
        Invariant.Hold(status == DecodeStatus.Complete);
        ReadOnlySpan<byte> payload = Record.Payload(record, header);
        if (CommandHead.IsTransaction(payload))
            return AdmitsTransaction(payload);
        status = KeyCommand.TryRead(payload, out KeyCommand command);
        Invariant.Hold(status == DecodeStatus.Complete);
        bool grows = command.Operation != CommandOperation.Delete && Grows(command.Key, command.Value);
        return command.Token.IsEmpty && !grows;
    }

    private bool AdmitsTransaction(ReadOnlySpan<byte> payload)
    {
        DecodeStatus status = TransactionCommand.TryRead(payload, out TransactionCommand transaction);
        Invariant.Hold(status == DecodeStatus.Complete);
        foreach (TransactionPart operation in transaction.Operations)
        {
            if (operation.Kind == TransactionPartKind.Put && Grows(operation.Key, operation.Value))
                return false;
        }
        return transaction.Token.IsEmpty;
    }

    private bool Grows(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        !state.Store.TryGet(key, out ReadOnlySpan<byte> present, out _) || value.Length > present.Length;
}
