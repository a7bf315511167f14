namespace RaftFast.Linearizability;

public enum OperationKind
{
    Get,
    Put,
    CompareAndSet,
    Delete,

    /// <summary>
    /// Deletion that no client asks for: the time of a value has passed. The operation stays open, because it has no
    /// answer.
    /// </summary>
    Expire,
}

/// <summary>
/// Outcome of an operation as its client knows it. An operation that certainly did not happen (503) is in no history.
/// </summary>
public enum Outcome
{
    /// <summary>
    /// The client got no answer, or a 504: the operation may take effect at any time after its invocation, or never.
    /// </summary>
    Unknown,

    Succeeded,

    /// <summary>A compare-and-set found another value than it expected (412), and changed nothing.</summary>
    Mismatched,
}

/// <summary>
/// Values with a special meaning. A client's values are 0 and above, with any meaning that the test gives them.
/// </summary>
public static class RegisterValue
{
    /// <summary>
    /// The key does not exist. An expected value of this kind means <c>If-None-Match: *</c>; a new value deletes the
    /// key.
    /// </summary>
    public const int Absent = -1;

    /// <summary>Expected value that any value but <see cref="Absent"/> matches (<c>If-Match: *</c>).</summary>
    public const int Any = -2;
}

/// <summary>An operation that one client asked for on one key, and its result.</summary>
/// <param name="Client">Information for the reader of a violation. A client may have several operations under
/// way.</param>
/// <param name="Expected">Value that a compare-and-set expects; also <see cref="RegisterValue.Absent"/> or
/// <see cref="RegisterValue.Any"/>.</param>
/// <param name="Value">Value that a put or compare-and-set writes, or that a get returned.</param>
/// <param name="Invoked">Time of the invocation, by one clock or numbering for the whole history. Equal times count as
/// concurrent.</param>
/// <param name="Completed">Time of the completion; <see cref="Open"/> if and only if the outcome is unknown.</param>
/// <param name="Tag">Log index of the key's last write, as the answer tells it; 0 if the answer tells none. If the
/// operations of a key have tags, each write of the key has a value of its own.</param>
public readonly record struct Operation(
    int Client, int Key, OperationKind Kind, int Expected, int Value, Outcome Outcome, long Invoked, long Completed,
    long Tag = 0)
{
    public const long Open = long.MaxValue;

    public static Operation Get(int client, int key, long invoked = 0) =>
        new(client, key, OperationKind.Get, RegisterValue.Absent, RegisterValue.Absent, Outcome.Unknown, invoked, Open);

    public static Operation Put(int client, int key, int value, long invoked = 0) =>
        new(client, key, OperationKind.Put, RegisterValue.Absent, value, Outcome.Unknown, invoked, Open);

    public static Operation CompareAndSet(int client, int key, int expected, int value, long invoked = 0) =>
        new(client, key, OperationKind.CompareAndSet, expected, value, Outcome.Unknown, invoked, Open);

    public static Operation Delete(int client, int key, long invoked = 0)
    {
        const int Absent = RegisterValue.Absent;
        return new(client, key, OperationKind.Delete, Absent, Absent, Outcome.Unknown, invoked, Open);
    }

    /// <summary>Deletion of <paramref name="value"/>, should the key have it, at <paramref name="invoked"/> or
    /// later.</summary>
    public static Operation Expire(int client, int key, int value, long invoked = 0)
    {
        const int Absent = RegisterValue.Absent;
        return new(client, key, OperationKind.Expire, value, Absent, Outcome.Unknown, invoked, Open);
    }

    /// <summary>This get, which returned <paramref name="value"/> (or <see cref="RegisterValue.Absent"/>).</summary>
    public Operation Returned(int value, long completed) =>
        this with { Value = value, Outcome = Outcome.Succeeded, Completed = completed };

    public Operation Succeeded(long completed) => this with { Outcome = Outcome.Succeeded, Completed = completed };

    public Operation Mismatched(long completed) => this with { Outcome = Outcome.Mismatched, Completed = completed };

    /// <summary>This operation as known before its completion.</summary>
    public Operation WithoutCompletion() => this with { Outcome = Outcome.Unknown, Completed = Open, Tag = 0 };

    /// <summary>True if the operation, should it take effect, gives the key a value.</summary>
    internal bool WritesValue => Kind is OperationKind.Put or OperationKind.CompareAndSet
        && Value != RegisterValue.Absent && Outcome != Outcome.Mismatched;

    public bool IsWellFormed
    {
        get
        {
            bool outcome = Outcome switch
            {
                Outcome.Unknown => Completed == Open,
                Outcome.Succeeded => Completed >= Invoked && Completed != Open,
                _ => Completed >= Invoked && Completed != Open && Kind == OperationKind.CompareAndSet,
            };
            bool arguments = Kind switch
            {
                OperationKind.Put => Value >= 0,
                OperationKind.Expire => Expected >= 0 && Value == RegisterValue.Absent && Outcome == Outcome.Unknown,
                OperationKind.CompareAndSet => Expected >= RegisterValue.Any && Value >= RegisterValue.Absent,
                _ => Value >= RegisterValue.Absent,
            };
            bool tag = Tag == 0 || (Tag > 0 && Outcome != Outcome.Unknown && Kind != OperationKind.Delete
                && (Value != RegisterValue.Absent || Outcome == Outcome.Mismatched));
            return outcome && arguments && tag;
        }
    }

    public override string ToString()
    {
        string did = Kind switch
        {
            OperationKind.Get => Outcome == Outcome.Succeeded ? $"get: {Name(Value)}" : "get",
            OperationKind.Put => $"put {Value}",
            OperationKind.Delete => "delete",
            OperationKind.Expire => $"expiry of {Expected}",
            _ => $"cas {Name(Expected)} to {Name(Value)}{(Outcome == Outcome.Mismatched ? ": mismatch" : "")}",
        };
        if (Tag != 0)
            did += $" tag {Tag}";
        return $"client {Client,-3} {did,-26} [{Invoked}, {(Completed == Open ? "open" : Completed)}]";
    }

    internal static string Name(int value) => value switch
    {
        RegisterValue.Absent => "absent",
        RegisterValue.Any => "any",
        _ => $"{value}",
    };
}
