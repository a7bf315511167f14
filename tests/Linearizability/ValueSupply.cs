namespace RaftFast.Linearizability;

/// <summary>Of each value: how many completed operations still have to meet it, and how many writes can still bring it.</summary>
internal sealed class ValueSupply
{
    private readonly RegisterHistory history;
    private readonly int[] readers;
    private readonly int[] writers;

    public ValueSupply(RegisterHistory history)
    {
        this.history = history;
        readers = new int[history.ValueCount];
        writers = new int[history.ValueCount];
        for (int i = 0; i < history.Operations.Length; i++)
            Count(i, 1);
    }

    public void Place(int operation) => Count(operation, -1);

    public void Restore(int operation) => Count(operation, 1);

    /// <summary>Whether a completed operation that must meet <paramref name="value"/> never will, once this operation has replaced it.</summary>
    public bool IsLostTo(int operation, int value)
    {
        Transition transition = history.Transitions[operation];
        if (transition.Written == value || writers[value] > 0)
            return false;
        return readers[value] > (MustMeet(operation) && transition.Operand == value ? 1 : 0);
    }

    private bool MustMeet(int operation) =>
        operation < history.CompletedCount && history.Transitions[operation].Guard == Guard.Equal;

    private void Count(int operation, int change)
    {
        Transition transition = history.Transitions[operation];
        if (MustMeet(operation))
            readers[transition.Operand] += change;
        if (!transition.Observes)
            writers[transition.Written] += change;
    }
}
