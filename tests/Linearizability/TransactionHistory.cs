using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>Records operations on several keys while they run, as <see cref="History"/> does for single keys.</summary>
public sealed class TransactionHistory
{
    private readonly Lock events = new();
    private readonly List<TransactionOperation?> operations = [];
    private long time;

    /// <inheritdoc cref="History.Invoke"/>
    public int Invoke(TransactionOperation operation)
    {
        lock (events)
        {
            operations.Add(operation with { Outcome = Outcome.Unknown, Completed = Operation.Open, Invoked = time++ });
            return operations.Count - 1;
        }
    }

    /// <summary>Records that an operation took effect, whole.</summary>
    /// <param name="index">Index of the entry; 0 for a GET.</param>
    /// <param name="reads">Keys that were read; empty if the answer tells none.</param>
    public void Succeed(int operation, long index, params IReadOnlyList<KeyState> reads)
    {
        lock (events)
            Complete(operation, open => open with { Outcome = Outcome.Succeeded, Index = index, Reads = reads });
    }

    /// <summary>Records that a condition did not hold, and nothing was changed.</summary>
    /// <param name="index">Index of the entry.</param>
    public void Mismatch(int operation, long index, int failedAt)
    {
        lock (events)
        {
            Complete(
                operation, open => open with { Outcome = Outcome.Mismatched, Index = index, FailedAt = failedAt });
        }
    }

    /// <summary>Removes an operation that did not happen and never will, or a GET without an answer.</summary>
    public void Withdraw(int operation)
    {
        lock (events)
        {
            Invariant.Hold(operations[operation] is { Outcome: Outcome.Unknown });
            operations[operation] = null;
        }
    }

    /// <summary>All operations invoked and not withdrawn.</summary>
    public IReadOnlyList<TransactionOperation> Snapshot()
    {
        lock (events)
            return [.. operations.OfType<TransactionOperation>()];
    }

    private void Complete(int operation, Func<TransactionOperation, TransactionOperation> complete)
    {
        Invariant.Hold(operations[operation] is { Outcome: Outcome.Unknown });
        operations[operation] = complete(operations[operation]!) with { Completed = time++ };
    }
}
