namespace RaftFast.Linearizability;

/// <summary>
/// Applies the entries in the order of the log, and finds the first whose conditions or reads do not fit. Between two
/// entries each operation without a place may take effect, if its conditions may hold. The replay is lenient: such an
/// operation may take effect several times, and on some of its keys alone. So some wrong histories are accepted, but no
/// right history is refused.
/// </summary>
internal sealed class TransactionReplay
{
    private readonly TransactionPlaces places;
    private readonly PossibleStates[] states;
    private readonly List<PossibleStates[]> recorded = [];

    /// <summary>Operations that may take effect from a place on, in the order of these places.</summary>
    private readonly List<(int From, TransactionOperation Operation)> waiting = [];

    /// <summary>Operations among these whose place has come.</summary>
    private readonly List<TransactionOperation> active = [];

    private int taken;

    /// <param name="keys">Number of keys.</param>
    public TransactionReplay(TransactionPlaces places, int keys)
    {
        this.places = places;
        states = new PossibleStates[keys];
        Array.Fill(states, PossibleStates.Only(0));
        foreach (TransactionOperation operation in places.Unplaced)
            waiting.Add((places.CountBefore(operation.Invoked), WithTag(operation)));
        waiting.Sort((left, right) => left.From.CompareTo(right.From));
        Pass(0);
        for (int i = 0; i < places.Entries.Count && Contradiction is null; i++)
        {
            (long index, TransactionOperation operation) = places.Entries[i];
            Contradiction = Apply(index, operation);
            Pass(i + 1);
        }
    }

    /// <summary>First entry that does not fit, or null.</summary>
    public string? Contradiction { get; }

    /// <param name="count">Number of entries before; the states include what may happen before the next entry.</param>
    public PossibleStates StatesAfter(int count, int key) => recorded[count][key];

    /// <summary>An expiry with its condition.</summary>
    private TransactionOperation WithTag(TransactionOperation operation)
    {
        if (operation.Expired is not { } value)
            return operation;
        long tag = places.TagOf(value) is not 0 and var known ? known : PossibleStates.UnseenTag;
        return operation with
        {
            Conditions = [new TransactionCondition(operation.Writes[0].Key, ConditionKind.HasTag, tag)],
        };
    }

    private string? Apply(long index, TransactionOperation operation)
    {
        bool hasFailed = operation.Outcome == Outcome.Mismatched;
        for (int i = 0; i < operation.Conditions.Count && (!hasFailed || i <= operation.FailedAt); i++)
        {
            TransactionCondition condition = operation.Conditions[i];
            ref PossibleStates key = ref states[condition.Key];
            PossibleStates before = key;
            bool holds = !hasFailed || i < operation.FailedAt;
            key = holds ? key.With(condition) : key.Without(condition);
            if (key.AreNone)
                return $"condition {i} has another result where key {condition.Key} is {before}: {operation}";
        }
        foreach (KeyState read in operation.Reads)
        {
            if (!states[read.Key].Include(read.Tag))
                return $"a transaction has read {read} where the key is {states[read.Key]}: {operation}";
            states[read.Key] = PossibleStates.Only(read.Tag);
        }
        foreach (TransactionWrite write in operation.Writes)
        {
            if (!hasFailed)
                states[write.Key] = PossibleStates.Only(write.Value == RegisterValue.Absent ? 0 : index);
        }
        return null;
    }

    /// <summary>Adds what operations without a place may do before the next entry, and records the states.</summary>
    private void Pass(int count)
    {
        for (; taken < waiting.Count && waiting[taken].From <= count; taken++)
            active.Add(waiting[taken].Operation);
        long index = count == 0 ? 0 : places.Entries[count - 1].Index;
        active.RemoveAll(operation => IsOver(operation, index));
        bool hasChanged = true;
        while (hasChanged)
        {
            hasChanged = false;
            foreach (TransactionOperation operation in active)
                hasChanged |= MayHappen(operation) && Add(operation);
        }
        recorded.Add([.. states]);
    }

    /// <summary>True if a condition on a tag can hold at no later place: the key has lost the tag.</summary>
    private bool IsOver(TransactionOperation operation, long index)
    {
        foreach (TransactionCondition condition in operation.Conditions)
        {
            bool isPast = condition.Kind == ConditionKind.HasTag && condition.Tag > 0 && condition.Tag <= index;
            if (isPast && states[condition.Key].Tag != condition.Tag)
                return true;
        }
        return false;
    }

    private bool MayHappen(TransactionOperation operation)
    {
        foreach (TransactionCondition condition in operation.Conditions)
        {
            if (states[condition.Key].With(condition).AreNone)
                return false;
        }
        return true;
    }

    private bool Add(TransactionOperation operation)
    {
        bool hasChanged = false;
        foreach (TransactionWrite write in operation.Writes)
        {
            PossibleStates after = states[write.Key].OrAfter(write);
            hasChanged |= after != states[write.Key];
            states[write.Key] = after;
        }
        return hasChanged;
    }
}
