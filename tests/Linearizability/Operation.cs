namespace RaftFast.Linearizability;

/// <summary>What one client asked of one key, and what it was told.</summary>
/// <param name="Client">Only for a person who reads it: a client may have several operations under way.</param>
/// <param name="Expected">Of a compare-and-set: a value, <see cref="RegisterValue.Absent"/> or <see cref="RegisterValue.Any"/>.</param>
/// <param name="Value">What a put or compare-and-set writes, what a get has returned.</param>
/// <param name="Invoked">When, on one clock or in one numbering for the whole history. Equal times count as concurrent.</param>
/// <param name="Completed">When, or <see cref="Open"/> if and only if the outcome is unknown.</param>
public readonly record struct Operation(
    int Client, int Key, OperationKind Kind, int Expected, int Value, Outcome Outcome, long Invoked, long Completed)
{
    public const long Open = long.MaxValue;

    public static Operation Get(int client, int key, long invoked = 0) =>
        new(client, key, OperationKind.Get, RegisterValue.Absent, RegisterValue.Absent, Outcome.Unknown, invoked, Open);

    public static Operation Put(int client, int key, int value, long invoked = 0) =>
        new(client, key, OperationKind.Put, RegisterValue.Absent, value, Outcome.Unknown, invoked, Open);

    public static Operation CompareAndSet(int client, int key, int expected, int value, long invoked = 0) =>
        new(client, key, OperationKind.CompareAndSet, expected, value, Outcome.Unknown, invoked, Open);

    public static Operation Delete(int client, int key, long invoked = 0) =>
        new(client, key, OperationKind.Delete, RegisterValue.Absent, RegisterValue.Absent, Outcome.Unknown, invoked, Open);

    /// <summary>This get, which returned <paramref name="value"/> (or <see cref="RegisterValue.Absent"/>).</summary>
    public Operation Returned(int value, long completed) =>
        this with { Value = value, Outcome = Outcome.Succeeded, Completed = completed };

    public Operation Succeeded(long completed) => this with { Outcome = Outcome.Succeeded, Completed = completed };

    public Operation Mismatched(long completed) => this with { Outcome = Outcome.Mismatched, Completed = completed };

    /// <summary>This operation, as it looks to someone who has not seen its completion.</summary>
    public Operation WithoutCompletion() => this with { Outcome = Outcome.Unknown, Completed = Open };

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
                OperationKind.CompareAndSet => Expected >= RegisterValue.Any && Value >= RegisterValue.Absent,
                _ => Value >= RegisterValue.Absent,
            };
            return outcome && arguments;
        }
    }

    public override string ToString()
    {
        string did = Kind switch
        {
            OperationKind.Get => Outcome == Outcome.Succeeded ? $"get: {Name(Value)}" : "get",
            OperationKind.Put => $"put {Value}",
            OperationKind.Delete => "delete",
            _ => $"cas {Name(Expected)} to {Name(Value)}{(Outcome == Outcome.Mismatched ? ": mismatch" : "")}",
        };
        return $"client {Client,-3} {did,-26} [{Invoked}, {(Completed == Open ? "open" : Completed)}]";
    }

    internal static string Name(int value) => value switch
    {
        RegisterValue.Absent => "absent",
        RegisterValue.Any => "any",
        _ => $"{value}",
    };
}
