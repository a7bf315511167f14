using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>A transaction, from the API to its answer. The request belongs to no client connection.</summary>
public sealed class TransactionRequest : IRequestOwner
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isMarked;

    /// <param name="payload">Payload with a <see cref="TransactionCommand"/>, complete.</param>
    /// <param name="number">The transaction's number.</param>
    /// <param name="reads">True if the transaction reads keys.</param>
    public TransactionRequest(ReadOnlySpan<byte> payload, ulong number, bool reads, bool hasToken)
    {
        Request = new ClientRequest(this);
        Result = new TransactionAnswer(reads ? number : null);
        Request.BeginTransaction(payload, Result, hasToken);
    }

    /// <summary>The request to submit, once.</summary>
    public ClientRequest Request { get; }

    /// <summary>Completes when the request is answered.</summary>
    public Task Done => done.Task;

    /// <summary>204 if the transaction took effect; else a status of an error. Valid once answered.</summary>
    public int Status => Request.Status;

    /// <summary>One line that says why the transaction was not done. Valid once answered.</summary>
    public ReadOnlySpan<byte> Text => Request.Answer;

    public TransactionAnswer Result { get; }

    public bool MarkForResume()
    {
        bool isFirst = !isMarked;
        isMarked = true;
        return isFirst;
    }

    public void Resume() => done.TrySetResult();
}

/// <summary>Answer to a transaction, beside status and text. Filled before the request is completed.</summary>
/// <param name="Number">Number by which the member that applies the entry finds the request; null if the transaction
/// reads nothing.</param>
public sealed record TransactionAnswer(ulong? Number)
{
    /// <summary>Index of the entry that was applied; 0 if none is known.</summary>
    public long Index { get; set; }

    /// <summary>Ordinal of the condition or operation at which the transaction failed, from 0.</summary>
    public int Part { get; set; }

    /// <summary>True if an earlier request with the same idempotency key had this outcome.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>The keys of the Get operations, in their order; empty if the transaction did not take effect.</summary>
    public IReadOnlyList<TransactionRead> Reads { get; set; } = [];
}

/// <summary>A key as a transaction has read it.</summary>
/// <param name="Tag">Index of the key's last write; 0 if the key does not exist.</param>
public sealed record TransactionRead(long Tag, ReadOnlyMemory<byte> Value);
