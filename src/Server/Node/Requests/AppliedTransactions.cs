using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Consequences of an applied transaction on this member. GETs that wait for one of its keys are answered. Its reads
/// are copied if a client of this member has sent the transaction. The leader's answer tells the place of the entry,
/// and may come after the entry was applied. So the number in the entry identifies the request.
/// </summary>
internal sealed class AppliedTransactions(StateMachine state, PendingReads waiting)
{
    private readonly Dictionary<ulong, ClientRequest> byNumber = [];

    /// <summary>A client of this member asks for this write. Keeps it if it is a transaction that reads keys.</summary>
    public void Expect(ClientRequest request)
    {
        if (request.Transaction?.Number is { } number)
            byNumber[number] = request;
    }

    /// <summary>Bytes of values copied so far.</summary>
    public long CopiedBytes { get; private set; }

    public void Add(ReadOnlySpan<byte> payload, in CommandResult result)
    {
        if (result.Status != CommandStatus.Done || result.IsRepeated)
            return;
        DecodeStatus status = TransactionCommand.TryRead(payload, out TransactionCommand transaction);
        Invariant.Hold(status == DecodeStatus.Complete);
        Wake(transaction);
        if (byNumber.Remove(transaction.Number, out ClientRequest? request) && !request.IsFinished)
            request.Transaction!.Reads = Read(transaction);
    }

    /// <summary>Forgets requests that were answered without their entry.</summary>
    public void Expire()
    {
        foreach ((ulong number, ClientRequest request) in byNumber)
        {
            if (request.IsFinished)
                byNumber.Remove(number);
        }
    }

    private void Wake(scoped in TransactionCommand transaction)
    {
        foreach (TransactionPart operation in transaction.Operations)
        {
            if (operation.Kind is TransactionPartKind.Put or TransactionPartKind.Delete)
                waiting.Changed(operation.Key);
            if (operation.Kind == TransactionPartKind.DeletePrefix)
                waiting.DeletedUnder(operation.Key);
        }
    }

    /// <summary>
    /// Copies the keys that the transaction reads. No operation changes a key that another one reads, so the state
    /// after the entry has the values.
    /// </summary>
    private List<TransactionRead> Read(scoped in TransactionCommand transaction)
    {
        List<TransactionRead> reads = [];
        foreach (TransactionPart operation in transaction.Operations)
        {
            if (operation.Kind != TransactionPartKind.Get)
                continue;
            state.Store.TryGet(operation.Key, out ReadOnlySpan<byte> value, out long tag);
            reads.Add(new TransactionRead(tag, value.ToArray()));
            CopiedBytes += value.Length;
        }
        return reads;
    }
}
