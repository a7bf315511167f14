using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <param name="Violation">Null if the history is linearizable.</param>
public sealed record CheckResult(Violation? Violation)
{
    public bool Linearizable => Violation is null;

    public override string ToString() => Violation?.ToString() ?? "linearizable";
}

/// <summary>
/// Decides whether some order of a history's operations explains all results and agrees with real time.
/// Linearizability is local (Herlihy and Wing, "Linearizability", 1990, theorem 1), so each key is checked by itself.
/// </summary>
public static class LinearizabilityChecker
{
    /// <param name="operations">Operations in any order. Every key is absent at first.</param>
    public static CheckResult Check(IReadOnlyList<Operation> operations)
    {
        Operation[] byKey = new Operation[operations.Count];
        for (int i = 0; i < byKey.Length; i++)
        {
            byKey[i] = operations[i];
            Invariant.Hold(byKey[i].IsWellFormed);
        }
        Array.Sort(byKey, (left, right) =>
            left.Key != right.Key ? left.Key.CompareTo(right.Key) : left.Invoked.CompareTo(right.Invoked));

        for (int start = 0, end; start < byKey.Length; start = end)
        {
            end = start + 1;
            while (end < byKey.Length && byKey[end].Key == byKey[start].Key)
                end++;
            ReadOnlySpan<Operation> register = byKey.AsSpan(start, end - start);
            if (!new RegisterSearch(new RegisterHistory(register)).Run())
                return new(new ShortestViolation(register).Find());
        }
        return new(Violation: null);
    }
}
