using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Records the operations of clients while they run. The time of an event is its number, in the order of the calls.
/// Many threads may call. An invocation is numbered before its request is sent, and a completion after the answer has
/// come. So an operation that ends before another one begins, by the numbers, does so in real time too.
/// </summary>
public sealed class History
{
    private readonly Lock events = new();
    private readonly List<Operation> operations = [];
    private readonly HashSet<int> withdrawn = [];
    private long time;

    /// <summary>Call before the request is sent.</summary>
    /// <returns>Number that identifies the operation when it completes.</returns>
    public int Invoke(Operation operation)
    {
        lock (events)
        {
            operations.Add(operation.WithoutCompletion() with { Invoked = time++ });
            return operations.Count - 1;
        }
    }

    /// <summary>
    /// Records that a get returned <paramref name="value"/> (or <see cref="RegisterValue.Absent"/>). Several attempts
    /// of a client at one request, under one idempotency key, are one operation: the first attempt invokes it, and the
    /// first answer that tells the outcome completes it.
    /// </summary>
    /// <param name="tag"><inheritdoc cref="Operation" path="/param[@name='Tag']"/></param>
    public void Return(int operation, int value, long tag = 0)
    {
        lock (events)
        {
            Invariant.Hold(operations[operation].Kind == OperationKind.Get);
            Complete(operation, operations[operation].Returned(value, time++) with { Tag = tag });
        }
    }

    /// <summary>Records that a put, compare-and-set or delete took effect.</summary>
    /// <param name="tag"><inheritdoc cref="Operation" path="/param[@name='Tag']"/></param>
    public void Succeed(int operation, long tag = 0)
    {
        lock (events)
        {
            Invariant.Hold(operations[operation].Kind != OperationKind.Get);
            Complete(operation, operations[operation].Succeeded(time++) with { Tag = tag });
        }
    }

    /// <param name="tag"><inheritdoc cref="Operation" path="/param[@name='Tag']"/></param>
    public void Mismatch(int operation, long tag = 0)
    {
        lock (events)
            Complete(operation, operations[operation].Mismatched(time++) with { Tag = tag });
    }

    /// <summary>Removes an operation that did not happen and never will (503).</summary>
    public void Withdraw(int operation)
    {
        lock (events)
        {
            Invariant.Hold(operations[operation].Outcome == Outcome.Unknown);
            Invariant.Hold(withdrawn.Add(operation));
        }
    }

    /// <summary>All operations invoked and not withdrawn. An operation that was not completed is open.</summary>
    public IReadOnlyList<Operation> Snapshot()
    {
        lock (events)
        {
            List<Operation> snapshot = new(operations.Count);
            for (int i = 0; i < operations.Count; i++)
            {
                if (!withdrawn.Contains(i))
                    snapshot.Add(operations[i]);
            }
            return snapshot;
        }
    }

    private void Complete(int operation, Operation completed)
    {
        Invariant.Hold(operations[operation].Outcome == Outcome.Unknown);
        Invariant.Hold(!withdrawn.Contains(operation));
        Invariant.Hold(completed.IsWellFormed);
        operations[operation] = completed;
    }
}
