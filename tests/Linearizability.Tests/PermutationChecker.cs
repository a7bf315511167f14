namespace RaftFast.Linearizability.Tests;

/// <summary>Tries every order, straight from the definition; shares no code with the checker under test.</summary>
internal static class PermutationChecker
{
    public static bool IsLinearizable(IReadOnlyList<Operation> operations) =>
        operations.GroupBy(operation => operation.Key)
            .All(register => CanContinue([.. register], RegisterValue.Absent, default));

    private static bool CanContinue(List<Operation> left, int value, Tags tags)
    {
        if (left.All(operation => operation.Outcome == Outcome.Unknown))
            return true;
        for (int i = 0; i < left.Count; i++)
        {
            Operation next = left[i];
            List<Operation> others = [.. left[..i], .. left[(i + 1)..]];
            if (others.Any(other => other.Completed < next.Invoked) || Run(next, value) is not int written)
                continue;
            if (tags.After(next, value, written) is { } after && CanContinue(others, written, after))
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
            case OperationKind.Expire:
                return value == operation.Expected ? RegisterValue.Absent : value;
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

    /// <summary>Log indices of one key's writes, as far as answers tell.</summary>
    /// <param name="Present">Tag of the present value; 0 if no answer has told it yet.</param>
    /// <param name="Greatest">Greatest tag so far.</param>
    private readonly record struct Tags(long Present, long Greatest)
    {
        /// <returns>Null if the operation's tag can't be the one that its answer tells.</returns>
        public Tags? After(Operation operation, int before, int after)
        {
            bool isWrite = operation.Kind is OperationKind.Put or OperationKind.CompareAndSet
                && operation.Outcome != Outcome.Mismatched && operation.Value >= 0 && after == operation.Value
                && (after != before || operation.Outcome == Outcome.Succeeded);
            if (isWrite)
                return Pin(operation.Tag);
            if (after == RegisterValue.Absent)
                return operation.Tag == 0 ? this with { Present = 0 } : null;
            if (operation.Tag == 0 || operation.Tag == Present)
                return this;
            return Present == 0 ? Pin(operation.Tag) : null;
        }

        private Tags? Pin(long tag) => tag == 0 ? new Tags(0, Greatest) : tag > Greatest ? new Tags(tag, tag) : null;
    }
}
