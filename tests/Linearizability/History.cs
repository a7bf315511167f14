using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Records what clients do, as they do it. Times are the numbers of the events, in the order of the calls; safe to call
/// from many threads, for a number that is taken between sending and receiving orders operations as real time does.
/// </summary>
public sealed class History
{
    private readonly Lock events = new();
    private readonly List<Operation> operations = [];
    private readonly HashSet<int> withdrawn = [];
    private long time;

    /// <summary>Call before the request is sent.</summary>
    /// <returns>The number by which to complete it.</returns>
    public int Invoke(Operation operation)
    {
        lock (events)
        {
            operations.Add(operation.WithoutCompletion() with { Invoked = time++ });
            return operations.Count - 1;
        }
    }

    /// <summary>A get has returned <paramref name="value"/> (or <see cref="RegisterValue.Absent"/>).</summary>
    public void Return(int operation, int value)
    {
        lock (events)
        {
            Invariant.Hold(operations[operation].Kind == OperationKind.Get);
            Complete(operation, operations[operation].Returned(value, time++));
        }
    }

    /// <summary>A put, compare-and-set or delete has taken effect.</summary>
    public void Succeed(int operation)
    {
        lock (events)
        {
            Invariant.Hold(operations[operation].Kind != OperationKind.Get);
            Complete(operation, operations[operation].Succeeded(time++));
        }
    }

    public void Mismatch(int operation)
    {
        lock (events)
            Complete(operation, operations[operation].Mismatched(time++));
    }

    /// <summary>The operation did not happen and never will (503): it leaves the history.</summary>
    public void Withdraw(int operation)
    {
        lock (events)
        {
            Invariant.Hold(operations[operation].Outcome == Outcome.Unknown);
            Invariant.Hold(withdrawn.Add(operation));
        }
    }

    /// <summary>All that was invoked and not withdrawn; what was not completed is open.</summary>
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
