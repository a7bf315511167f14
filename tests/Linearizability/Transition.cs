using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>Condition that a <see cref="Transition"/> sets on the register's value.</summary>
internal enum Guard
{
    None,
    Equal,
    NotEqual,
}

/// <summary>
/// Effect of an operation on a register. The operation is legal if <see cref="Guard"/> holds between the value and
/// <see cref="Operand"/>; the value is then <see cref="Written"/>. An operation with an unknown outcome is taken as if
/// it had succeeded.
/// </summary>
internal readonly record struct Transition(Guard Guard, int Operand, int Written)
{
    /// <summary><see cref="Written"/> of an operation that leaves the value as it is.</summary>
    public const int Unchanged = int.MinValue;

    /// <summary>True if the operation, wherever it is legal, leaves the value that it found.</summary>
    public bool Observes => Written == Unchanged || (Guard == Guard.Equal && Written == Operand);

    public static Transition Of(in Operation operation)
    {
        switch (operation.Kind)
        {
            case OperationKind.Get:
                Invariant.Hold(operation.Outcome == Outcome.Succeeded);
                return new(Guard.Equal, operation.Value, Unchanged);
            case OperationKind.Put:
                return new(Guard.None, 0, operation.Value);
            case OperationKind.Delete:
                return new(Guard.None, 0, RegisterValue.Absent);
            case OperationKind.Expire:
                return new(Guard.Equal, operation.Expected, RegisterValue.Absent);
            default:
                bool any = operation.Expected == RegisterValue.Any;
                bool matched = operation.Outcome != Outcome.Mismatched;
                return new(
                    matched != any ? Guard.Equal : Guard.NotEqual,
                    any ? RegisterValue.Absent : operation.Expected,
                    matched ? operation.Value : Unchanged);
        }
    }

    public bool IsLegal(int value) => Guard switch
    {
        Guard.Equal => value == Operand,
        Guard.NotEqual => value != Operand,
        _ => true,
    };

    public int Apply(int value) => Written == Unchanged ? value : Written;
}
