namespace RaftFast.Linearizability;

/// <param name="Violation">Null: the history is linearizable.</param>
public sealed record CheckResult(Violation? Violation)
{
    public bool Linearizable => Violation is null;

    public override string ToString() => Violation?.ToString() ?? "linearizable";
}
