using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Finds the point at which the history of a register stops being linearizable. A prefix in time of a linearizable
/// history is linearizable (Herlihy and Wing 1990, §3.3), so bisection finds the first completion that breaks the
/// history.
/// </summary>
internal sealed class ShortestViolation
{
    private readonly Operation[] byCompletion;
    private readonly int completedCount;

    /// <param name="operations">Operations of one key that are not linearizable.</param>
    public ShortestViolation(ReadOnlySpan<Operation> operations)
    {
        byCompletion = operations.ToArray();
        Array.Sort(byCompletion, (left, right) => left.Completed != right.Completed
            ? left.Completed.CompareTo(right.Completed)
            : left.Invoked.CompareTo(right.Invoked));
        while (completedCount < byCompletion.Length && byCompletion[completedCount].Outcome != Outcome.Unknown)
            completedCount++;
    }

    public Violation Find()
    {
        int low = 0;
        int high = completedCount - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (new RegisterSearch(new RegisterHistory(Cut(middle, culpritCompleted: true, out _))).Run())
                low = middle + 1;
            else
                high = middle;
        }
        return Describe(low);
    }

    private Violation Describe(int culprit)
    {
        Operation[] cut = Cut(culprit, culpritCompleted: false, out Operation[] whole);
        RegisterHistory history = new(cut);
        RegisterSearch search = new(history);
        Invariant.Hold(search.Run());

        List<Operation> prefix = [];
        bool[] isPlaced = new bool[cut.Length];
        isPlaced[culprit] = true;
        int value = RegisterValue.Absent;
        foreach (int operation in search.Path)
        {
            int source = history.SourceOf(operation);
            isPlaced[source] = true;
            prefix.Add(whole[source]);
            Transition transition = Transition.Of(cut[source]);
            Invariant.Hold(transition.IsLegal(value));
            value = transition.Apply(value);
        }
        List<Operation> pending = [];
        for (int i = 0; i < cut.Length; i++)
        {
            if (!isPlaced[i])
                pending.Add(whole[i]);
        }
        return new(byCompletion[culprit].Key, prefix, value, byCompletion[culprit], pending);
    }

    /// <summary>The history as known just before or just after the culprit's completion.</summary>
    /// <param name="whole">The same operations with their final outcomes.</param>
    private Operation[] Cut(int culprit, bool culpritCompleted, out Operation[] whole)
    {
        long now = byCompletion[culprit].Completed;
        int completed = culpritCompleted ? culprit + 1 : culprit;
        List<Operation> invoked = [.. byCompletion.AsSpan(0, completed)];
        for (int i = completed; i < byCompletion.Length; i++)
        {
            if (byCompletion[i].Invoked <= now)
                invoked.Add(byCompletion[i]);
        }
        whole = [.. invoked];
        Operation[] cut = [.. invoked];
        for (int i = completed; i < cut.Length; i++)
            cut[i] = cut[i].WithoutCompletion();
        return cut;
    }
}
