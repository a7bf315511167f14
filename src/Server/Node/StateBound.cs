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
    /// True if there is room for the write, or if the write deletes a key or replaces a value that is no smaller. A
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
            return NeedsNoRoom(payload);
        status = KeyCommand.TryRead(payload, out KeyCommand command);
        Invariant.Hold(status == DecodeStatus.Complete);
        if (command.Operation == CommandOperation.Delete)
            return command.Token.IsEmpty;
        return command.Token.IsEmpty
            && state.Store.TryGet(command.Key, out ReadOnlySpan<byte> value, out _)
            && command.Value.Length <= value.Length;
    }

    /// <summary>True if the transaction neither writes a key nor leaves an outcome.</summary>
    private static bool NeedsNoRoom(ReadOnlySpan<byte> transaction)
    {
        DecodeStatus status = TransactionCommand.TryRead(transaction, out TransactionCommand command);
        Invariant.Hold(status == DecodeStatus.Complete);
        foreach (TransactionPart operation in command.Operations)
        {
            if (operation.Kind == TransactionPartKind.Put)
                return false;
        }
        return command.Token.IsEmpty;
    }
}
