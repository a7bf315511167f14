namespace RaftFast.Linearizability;

/// <summary>
/// History of one key, prepared for the search. Completed operations come first, in the order of invocation. Open
/// operations follow, sorted so that equal transitions are adjacent. Values are renumbered from 0; values that no guard
/// names share one number.
/// </summary>
internal sealed class RegisterHistory
{
    /// <summary>Value of a key that does not exist.</summary>
    public const int AbsentValue = 0;

    /// <summary>Number shared by all values that no guard names.</summary>
    private const int UnobservedValue = 1;

    private readonly int[] sources;

    /// <param name="operations">Operations of one key. An open get has no effect, and is left out.</param>
    public RegisterHistory(ReadOnlySpan<Operation> operations)
    {
        TagOrder tags = new(operations);
        IsContradictory = tags.IsContradictory;
        HasDistinctValues = tags.HasDistinctValues;
        List<int> completed = [];
        List<int> open = [];
        Transition[] raw = new Transition[operations.Length];
        long[] invoked = new long[operations.Length];
        Dictionary<int, int> numbers = new() { [RegisterValue.Absent] = AbsentValue };
        for (int i = 0; i < operations.Length; i++)
        {
            Operation operation = operations[i];
            bool isOpen = operation.Outcome == Outcome.Unknown;
            if (isOpen && operation.Kind == OperationKind.Get)
                continue;
            (isOpen ? open : completed).Add(i);
            invoked[i] = operation.Invoked;
            raw[i] = tags.ObservedBy(operation) is { } observed
                ? new Transition(Guard.Equal, observed, Transition.Unchanged)
                : Transition.Of(operation);
            if (raw[i].Guard != Guard.None && !numbers.ContainsKey(raw[i].Operand))
                numbers.Add(raw[i].Operand, numbers.Count + UnobservedValue);
        }
        ValueCount = numbers.Count + UnobservedValue;
        for (int i = 0; i < raw.Length; i++)
            raw[i] = Renumber(raw[i], numbers);

        completed.Sort((left, right) => invoked[left].CompareTo(invoked[right]));
        open.Sort((left, right) => Compare(raw[left], raw[right]) is not 0 and int order
            ? order
            : invoked[left].CompareTo(invoked[right]));
        CompletedCount = completed.Count;
        sources = [.. completed, .. open];
        Operations = new Operation[sources.Length];
        Transitions = new Transition[sources.Length];
        Tags = new long[sources.Length];
        for (int i = 0; i < sources.Length; i++)
        {
            Operations[i] = operations[sources[i]];
            Transitions[i] = raw[sources[i]];
            Tags[i] = tags.WrittenBy(Operations[i]);
        }
    }

    /// <summary>True if tags alone show that the history is not linearizable.</summary>
    public bool IsContradictory { get; }

    /// <summary>True if no value is written twice.</summary>
    public bool HasDistinctValues { get; }

    public Operation[] Operations { get; }

    public Transition[] Transitions { get; }

    /// <summary>Tag of the value that each operation writes; 0 if unknown, or if the operation writes none.</summary>
    public long[] Tags { get; }

    public int CompletedCount { get; }

    public int ValueCount { get; }

    /// <summary>Index of the operation among those that the history was made from.</summary>
    public int SourceOf(int operation) => sources[operation];

    private static Transition Renumber(Transition raw, Dictionary<int, int> numbers)
    {
        int operand = raw.Guard == Guard.None ? AbsentValue : numbers[raw.Operand];
        int written = raw.Written == Transition.Unchanged
            ? Transition.Unchanged
            : numbers.GetValueOrDefault(raw.Written, UnobservedValue);
        return new(raw.Guard, operand, written);
    }

    private static int Compare(Transition left, Transition right)
    {
        if (left.Guard != right.Guard)
            return left.Guard.CompareTo(right.Guard);
        if (left.Operand != right.Operand)
            return left.Operand.CompareTo(right.Operand);
        return left.Written.CompareTo(right.Written);
    }
}
