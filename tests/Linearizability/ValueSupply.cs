namespace RaftFast.Linearizability;

/// <summary>
/// Counts two things for each value: the unplaced completed operations that must read the value, and its unplaced
/// writes. After the last of these writes is placed, the value has to stay until the last reader is placed.
/// </summary>
internal sealed class ValueSupply
{
    private readonly RegisterHistory history;
    private readonly EventList events;
    private readonly int[] writersLeft;
    private readonly int[] readersLeft;
    private readonly List<int>[] readers;
    private readonly bool[] placed;

    public ValueSupply(RegisterHistory history, EventList events)
    {
        this.history = history;
        this.events = events;
        writersLeft = new int[history.ValueCount];
        readersLeft = new int[history.ValueCount];
        readers = new List<int>[history.ValueCount];
        placed = new bool[history.Operations.Length];
        for (int i = 0; i < readers.Length; i++)
            readers[i] = [];
        for (int i = 0; i < placed.Length; i++)
        {
            if (MustMeet(i))
                readers[history.Transitions[i].Operand].Add(i);
            Count(i, 1);
        }
    }

    public void Place(int operation)
    {
        placed[operation] = true;
        Count(operation, -1);
    }

    public void Restore(int operation)
    {
        placed[operation] = false;
        Count(operation, 1);
    }

    /// <summary>
    /// True if this write would replace <paramref name="value"/> before the value's last reader is placed, and no later
    /// write could bring the value back.
    /// </summary>
    public bool IsLostTo(int operation, int value)
    {
        Transition transition = history.Transitions[operation];
        if (transition.Written == value || writersLeft[value] > 0)
            return false;
        return readersLeft[value] > (MustMeet(operation) && transition.Operand == value ? 1 : 0);
    }

    /// <summary>
    /// True if this write is the last of its value and too early. It is too early if an operation that can't stand
    /// between write and reader completes before the value's last reader is invoked.
    /// </summary>
    public bool IsTooEarly(int operation)
    {
        int value = history.Transitions[operation].Written;
        if (writersLeft[value] > 1 || readersLeft[value] == 0)
            return false;
        int last = readers[value].Count - 1;
        while (placed[readers[value][last]])
            last--;
        int end = EventList.InvocationOf(readers[value][last]);
        for (int entry = events.First; entry != end; entry = events.Next(entry))
        {
            int other = EventList.OperationOf(entry);
            if (!EventList.IsCompletion(entry) || other == operation)
                continue;
            if (!history.Transitions[other].Observes || !history.Transitions[other].IsLegal(value))
                return true;
        }
        return false;
    }

    private bool MustMeet(int operation) =>
        operation < history.CompletedCount && history.Transitions[operation].Guard == Guard.Equal;

    private void Count(int operation, int change)
    {
        Transition transition = history.Transitions[operation];
        if (MustMeet(operation))
            readersLeft[transition.Operand] += change;
        if (!transition.Observes)
            writersLeft[transition.Written] += change;
    }
}
