namespace RaftFast.Linearizability;

/// <summary>
/// An operation that one client asked for on several keys, and its result: conditions, reads and writes that take
/// effect together. A PUT is an operation with one write. A GET has one read, and no entry.
/// </summary>
/// <param name="Client">Information for the reader of a violation.</param>
public sealed record TransactionOperation(int Client)
{
    public IReadOnlyList<TransactionCondition> Conditions { get; init; } = [];

    /// <summary>At most one write for each key. Each value is written once in a history.</summary>
    public IReadOnlyList<TransactionWrite> Writes { get; init; } = [];

    /// <summary>Value whose time has passed, if the operation is the value's expiry; else null.</summary>
    public int? Expired { get; init; }

    public Outcome Outcome { get; init; }

    /// <summary>Index of the operation's entry in the log; 0 without an entry, or if no answer tells it.</summary>
    public long Index { get; init; }

    /// <summary>Ordinal of the first condition that did not hold, if the outcome is a mismatch.</summary>
    public int FailedAt { get; init; }

    /// <summary>States that the answer tells. A GET without an answer is in no history.</summary>
    public IReadOnlyList<KeyState> Reads { get; init; } = [];

    /// <inheritdoc cref="Operation" path="/param[@name='Invoked']"/>
    public long Invoked { get; init; }

    /// <inheritdoc cref="Operation" path="/param[@name='Completed']"/>
    public long Completed { get; init; } = Operation.Open;

    /// <summary>Deletion of a value at any time after the invocation, should the key still have it.</summary>
    public static TransactionOperation Expiry(int key, int value) => new(Client: -1)
    {
        Expired = value,
        Writes = [new TransactionWrite(key, RegisterValue.Absent)],
    };

    /// <summary>True if the operation has its own place in the log, and an answer tells the place.</summary>
    internal bool IsEntry => Index != 0;

    public override string ToString()
    {
        List<string> parts = [];
        foreach (TransactionCondition condition in Conditions)
            parts.Add($"if {condition.Key} {condition.Kind} {condition.Tag}");
        foreach (TransactionWrite write in Writes)
            parts.Add($"{write.Key} = {Operation.Name(write.Value)}");
        foreach (KeyState read in Reads)
            parts.Add($"{read.Key} is {Operation.Name(read.Value)} tag {read.Tag}");
        string result = Outcome == Outcome.Mismatched ? $"condition {FailedAt} failed" : $"{Outcome}";
        string completed = Completed == Operation.Open ? "open" : $"{Completed}";
        return $"client {Client}: {string.Join(", ", parts)}: {result} index {Index} [{Invoked}, {completed}]";
    }
}

/// <param name="Tag">Tag that the key must have, if the kind is HasTag.</param>
public readonly record struct TransactionCondition(int Key, ConditionKind Kind, long Tag = 0);

public enum ConditionKind
{
    Exists,
    Absent,
    HasTag,
}

/// <param name="Value">Value of the key after the operation; <see cref="RegisterValue.Absent"/> deletes the
/// key.</param>
public readonly record struct TransactionWrite(int Key, int Value);

/// <summary>A key as an answer tells it.</summary>
/// <param name="Tag">Index of the entry that wrote the value; 0 if the key does not exist.</param>
public readonly record struct KeyState(int Key, long Tag, int Value);
