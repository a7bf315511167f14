namespace RaftFast.Linearizability.Tests;

/// <summary>Tries every order, straight from the definition; shares no code with the checker under test.</summary>
internal static class PermutationChecker
{
    public static bool IsLinearizable(IReadOnlyList<Operation> operations) =>
        operations.GroupBy(operation => operation.Key)
            .All(register => CanContinue([.. register], RegisterValue.Absent));

    private static bool CanContinue(List<Operation> left, int value)
    {
        if (left.All(operation => operation.Outcome == Outcome.Unknown))
            return true;
        for (int i = 0; i < left.Count; i++)
        {
            Operation next = left[i];
            List<Operation> others = [.. left[..i], .. left[(i + 1)..]];
            if (others.Any(other => other.Completed < next.Invoked) || Run(next, value) is not int written)
                continue;
            if (CanContinue(others, written))
                return true;
        }
        return false;
    }

    /// <returns>Value after the operation; null if the operation can't have the outcome that it reports.</returns>
    private static int? Run(Operation operation, int value)
    {
        switch (operation.Kind)
        {
            case OperationKind.Get:
                return operation.Outcome == Outcome.Unknown || operation.Value == value ? value : null;
            case OperationKind.Put:
                return operation.Value;
            case OperationKind.Delete:
                return RegisterValue.Absent;
            default:
                bool matches = operation.Expected == RegisterValue.Any
                    ? value != RegisterValue.Absent
                    : value == operation.Expected;
                if (operation.Outcome == Outcome.Unknown)
                    return matches ? operation.Value : value;
                if (matches != (operation.Outcome == Outcome.Succeeded))
                    return null;
                return matches ? operation.Value : value;
        }
    }
}
