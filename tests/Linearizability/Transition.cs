using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// What every operation of a register comes down to: it is legal where <see cref="Guard"/> holds between the value and
/// <see cref="Operand"/>, and leaves <see cref="Written"/>. An outcome that is unknown means the effect that it may have.
/// </summary>
internal readonly record struct Transition(Guard Guard, int Operand, int Written)
{
    /// <summary>As <see cref="Written"/>: leaves the value as it is.</summary>
    public const int Unchanged = int.MinValue;

    /// <summary>Cannot have another value behind it than before it, wherever it is legal.</summary>
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
