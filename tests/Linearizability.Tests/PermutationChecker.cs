namespace RaftFast.Linearizability.Tests;

/// <summary>Tries every order, straight from the definition; knows nothing of the code that it checks.</summary>
internal static class PermutationChecker
{
    public static bool IsLinearizable(IReadOnlyList<Operation> operations) =>
        operations.GroupBy(operation => operation.Key).All(register => CanGoOn([.. register], RegisterValue.Absent));

    private static bool CanGoOn(List<Operation> left, int value)
    {
        if (left.All(operation => operation.Outcome == Outcome.Unknown))
            return true;
        for (int i = 0; i < left.Count; i++)
        {
            Operation next = left[i];
            List<Operation> others = [.. left[..i], .. left[(i + 1)..]];
            if (others.Any(other => other.Completed < next.Invoked) || Run(next, value) is not int written)
                continue;
            if (CanGoOn(others, written))
                return true;
        }
        return false;
    }

    /// <returns>The value afterwards, or null if the outcome can't be what the operation reports.</returns>
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
