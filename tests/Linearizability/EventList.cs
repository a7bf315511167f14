namespace RaftFast.Linearizability;

/// <summary>
/// Doubly linked list of invocations and completions in the order of time (Wing and Gong 1993; Lowe 2017, §3). The
/// search lifts an operation out of the list when it places the operation, and restores lifted operations in reverse
/// order. Operations are numbered by invocation; event 2n is the invocation of operation n, and 2n + 1 its completion.
/// </summary>
internal sealed class EventList
{
    private readonly int[] next;
    private readonly int[] previous;
    private readonly int[] invokedBefore;

    /// <param name="operations">Completed operations, in the order of their invocations.</param>
    public EventList(ReadOnlySpan<Operation> operations)
    {
        int count = operations.Length;
        End = 2 * count;
        next = new int[End + 1];
        previous = new int[End + 1];
        invokedBefore = new int[count];

        long[] completed = new long[count];
        int[] byCompletion = new int[count];
        for (int i = 0; i < count; i++)
        {
            completed[i] = operations[i].Completed;
            byCompletion[i] = i;
        }
        Array.Sort(completed, byCompletion);

        int last = End;
        int invoked = 0;
        for (int i = 0; i < count; i++)
        {
            for (; invoked < count && operations[invoked].Invoked <= completed[i]; invoked++)
                last = Append(last, InvocationOf(invoked));
            last = Append(last, CompletionOf(byCompletion[i]));
            invokedBefore[byCompletion[i]] = invoked;
        }
        Append(last, End);
    }

    /// <summary>Entry after the last event.</summary>
    public int End { get; }

    public int First => next[End];

    public int Next(int entry) => next[entry];

    public static bool IsCompletion(int entry) => (entry & 1) == 1;

    public static int OperationOf(int entry) => entry >> 1;

    public static int InvocationOf(int operation) => operation << 1;

    private static int CompletionOf(int operation) => (operation << 1) + 1;

    /// <summary>Number of operations invoked before this one completes, including itself and lifted ones.</summary>
    public int InvokedBeforeCompletionOf(int operation) => invokedBefore[operation];

    /// <summary>
    /// Removes an operation. <see cref="Next"/> of its invocation still leads to an event in the list.
    /// </summary>
    public void Lift(int operation)
    {
        Unlink(CompletionOf(operation));
        Unlink(InvocationOf(operation));
    }

    /// <summary>Undoes the last <see cref="Lift"/> that has not been undone.</summary>
    public void Restore(int operation)
    {
        Relink(InvocationOf(operation));
        Relink(CompletionOf(operation));
    }

    private int Append(int last, int entry)
    {
        next[last] = entry;
        previous[entry] = last;
        return entry;
    }

    private void Unlink(int entry)
    {
        next[previous[entry]] = next[entry];
        previous[next[entry]] = previous[entry];
    }

    private void Relink(int entry)
    {
        next[previous[entry]] = entry;
        previous[next[entry]] = entry;
    }
}
