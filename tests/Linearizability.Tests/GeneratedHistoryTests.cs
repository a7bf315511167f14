using CsCheck;

namespace RaftFast.Linearizability.Tests;

/// <summary>Histories too long for permutations. The construction of a history decides the verdict.</summary>
public sealed class GeneratedHistoryTests
{
    private static readonly Gen<Step[]> Steps = Step.Any(keys: 3, spread: 60).Array[100, 200];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_history_made_in_one_order_is_linearizable(bool distinct) => Steps.Sample(
        steps =>
        {
            CheckResult result = LinearizabilityChecker.Check(Step.Run(steps, distinct));
            Assert.True(result.Linearizable, result.ToString());
        },
        iter: 1_000, threads: 1);

    [Fact]
    public void A_long_history_of_many_clients_that_write_distinct_values_is_decided() =>
        Step.Any(keys: 1, spread: 100).Where(step => step.Kind != OperationKind.Delete).Array[10_000].Sample(
            steps => Assert.True(LinearizabilityChecker.Check(Step.Run(steps, distinct: true)).Linearizable),
            iter: 3, threads: 1);

    [Fact]
    public void A_get_of_a_value_never_written_is_found() => EveryMutationIsFound((operations, at) =>
        operations[at].Kind == OperationKind.Get && operations[at].Outcome == Outcome.Succeeded
            ? operations[at] with { Value = 1_000_000 }
            : null);

    [Fact]
    public void A_stale_get_is_found() => EveryMutationIsFound((operations, at) =>
    {
        Operation get = operations[at];
        if (get.Kind != OperationKind.Get || get.Outcome != Outcome.Succeeded)
            return null;
        Operation? overwriting = Latest(operations, get.Key, put => put.Completed < get.Invoked);
        Operation? overwritten = overwriting is { } next
            ? Latest(operations, get.Key, put => put.Completed < next.Invoked)
            : null;
        return overwritten is { } stale ? get with { Value = stale.Value } : null;
    });

    [Fact]
    public void An_absence_after_the_last_put_is_found() => EveryMutationIsFound((operations, at) =>
    {
        Operation get = operations[at];
        if (get.Kind != OperationKind.Get || get.Outcome != Outcome.Succeeded)
            return null;
        if (Latest(operations, get.Key, put => put.Completed < get.Invoked) is not { } last)
            return null;
        bool mayBeDeleted = operations.Any(operation =>
            operation.Key == get.Key && operation.Kind == OperationKind.Delete
            && operation.Invoked <= get.Completed && operation.Completed >= last.Invoked);
        return mayBeDeleted ? null : get with { Value = RegisterValue.Absent };
    });

    [Fact]
    public void A_write_that_was_read_and_is_said_to_have_failed_is_found() => EveryMutationIsFound((operations, at) =>
    {
        Operation write = operations[at];
        bool wasRead = operations.Any(get =>
            get.Kind == OperationKind.Get && get.Key == write.Key && get.Value == write.Value
            && get.Outcome == Outcome.Succeeded);
        return write.Kind == OperationKind.CompareAndSet && write.Outcome == Outcome.Succeeded && wasRead
            ? write.Mismatched(write.Completed)
            : null;
    });

    [Fact]
    public void A_value_exchanged_twice_is_found() => EveryMutationIsFound((operations, at) =>
    {
        Operation first = operations[at];
        Operation second = operations.FirstOrDefault(cas => cas != first && cas.Key == first.Key
            && cas.Kind == OperationKind.CompareAndSet && cas.Outcome == Outcome.Succeeded && cas.Expected >= 0);
        if (first.Kind != OperationKind.Put || first.Outcome != Outcome.Succeeded || second == default)
            return null;
        Operation again = Operation.CompareAndSet(0, first.Key, second.Expected, 1_000_000, first.Invoked);
        return again.Succeeded(first.Completed);
    });

    /// <summary>Changes one operation: the first to which the mutation applies, at or after a random place.</summary>
    private static void EveryMutationIsFound(Func<Operation[], int, Operation?> mutate)
    {
        int mutated = 0;
        Gen.Select(Steps, Gen.Int[0, 99]).Sample(
            (steps, start) =>
            {
                Operation[] operations = Step.Run(steps, distinct: true);
                for (int at = start; at < operations.Length; at++)
                {
                    if (mutate(operations, at) is not { } changed)
                        continue;
                    operations[at] = changed;
                    Assert.False(LinearizabilityChecker.Check(operations).Linearizable);
                    mutated++;
                    return;
                }
            },
            iter: 1_000, threads: 1);
        Assert.InRange(mutated, 500, 1_000);
    }

    private static Operation? Latest(Operation[] operations, int key, Func<Operation, bool> condition)
    {
        Operation latest = operations.LastOrDefault(operation =>
            operation.Key == key && operation.Kind == OperationKind.Put
            && operation.Outcome == Outcome.Succeeded && condition(operation));
        return latest == default ? null : latest;
    }
}
