using CsCheck;

namespace RaftFast.Linearizability.Tests;

/// <summary>
/// The search decides short histories as the definition does. CsCheck shrinks and prints a history on which they
/// differ.
/// </summary>
public sealed class PermutationCheckerTests
{
    private static readonly Gen<Operation> AnyOperation = Gen.Select(
        Gen.Int[0, 5], Gen.Int[0, 5], Gen.Int[-2, 2], Gen.Int[0, 2], Gen.Int[0, 12], Gen.Int[0, 8],
        (kind, key, expected, value, invoked, duration) =>
        {
            int register = key == 0 ? 1 : 0;
            long completed = invoked + duration;
            int read = Math.Max(expected, RegisterValue.Absent);
            return kind switch
            {
                0 or 1 => Operation.Get(0, register, invoked).Returned(read, completed),
                2 => Answered(Operation.Put(0, register, value, invoked), duration),
                3 => Answered(Operation.CompareAndSet(0, register, expected, value, invoked), duration),
                4 => Operation.CompareAndSet(0, register, expected, value, invoked).Mismatched(completed),
                _ => Answered(Operation.Delete(0, register, invoked), duration),
            };
        });

    [Fact]
    public void Any_operations_are_decided_as_all_their_permutations_decide()
    {
        int linearizable = 0;
        int violations = 0;
        AnyOperation.Array[0, 7].Sample(
            operations => Agrees(operations, ref linearizable, ref violations), iter: 40_000, threads: 1, print: Print);
        Assert.InRange(linearizable, 4_000, 36_000);
        Assert.InRange(violations, 4_000, 36_000);
    }

    [Fact]
    public void A_right_history_with_one_operation_changed_is_decided_as_all_its_permutations_decide()
    {
        int linearizable = 0;
        int violations = 0;
        Gen.Select(Step.Any(keys: 1, spread: 40).Array[1, 7], Gen.Int[0, 6], AnyOperation).Sample(
            (steps, index, other) =>
            {
                Operation[] operations = Step.Run(steps, distinct: false);
                int at = index % operations.Length;
                operations[at] = other with
                {
                    Key = 0,
                    Invoked = operations[at].Invoked,
                    Completed = other.Outcome == Outcome.Unknown ? Operation.Open : 10 * at + 20,
                };
                return Agrees(operations, ref linearizable, ref violations);
            },
            iter: 20_000, threads: 1);
        Assert.InRange(linearizable, 2_000, 18_000);
        Assert.InRange(violations, 2_000, 18_000);
    }

    /// <summary>About a third of the answers is missing: those with a duration of 0, 4 or 8.</summary>
    private static Operation Answered(Operation operation, int duration) =>
        duration % 4 == 0 ? operation : operation.Succeeded(operation.Invoked + duration);

    private static bool Agrees(Operation[] operations, ref int linearizable, ref int violations)
    {
        bool expected = PermutationChecker.IsLinearizable(operations);
        linearizable += expected ? 1 : 0;
        violations += expected ? 0 : 1;
        return LinearizabilityChecker.Check(operations).Linearizable == expected;
    }

    private static string Print(Operation[] operations) => string.Join(Environment.NewLine, operations);
}
