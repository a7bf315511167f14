using CsCheck;
using static RaftFast.Linearizability.Tests.RegisterOperations;

namespace RaftFast.Linearizability.Tests;

/// <summary>A violation says where the history goes wrong, and how the operations before fit.</summary>
public sealed class ViolationTests
{
    [Fact]
    public void The_culprit_is_the_operation_whose_completion_breaks_the_history()
    {
        Violation violation = Find(Put(1, 0, 1), Put(2, 2, 3), Get(1, 4, 5), Put(3, 6, 7), Get(2, 8, 9));

        Assert.Equal(Get(1, 4, 5), violation.Culprit);
        Assert.Equal([Put(1, 0, 1), Put(2, 2, 3)], violation.Prefix);
        Assert.Equal(2, violation.Value);
        Assert.Empty(violation.Pending);
    }

    [Fact]
    public void An_operation_under_way_that_is_not_needed_is_pending()
    {
        Violation violation = Find(Put(1, 0, 1), Put(5, 0), Put(2, 2, 3), Put(6, 4, 9), Get(1, 5, 6), Put(7, 7, 8));

        Assert.Equal([Get(1, 5, 6), Put(5, 0), Put(6, 4, 9)], violation.Unplaced.OrderBy(operation => operation.Value));
    }

    [Fact]
    public void The_text_shows_prefix_culprit_and_pending_operations()
    {
        Violation violation = Find(
            Put(1, 0, 1), Cas(1, 2, 2, 3), CasMismatch(1, 9, 4, 5), Put(4, 6), Delete(7, 8),
            Get(2, 9, 10) with { Client = 3 });

        Assert.Equal("""
            key 0 is not linearizable
            in this order 4 operations fit:
                client 0   put 1                      [0, 1]
                client 0   cas 1 to 2                 [2, 3]
                client 0   cas 1 to 9: mismatch       [4, 5]
                client 0   delete                     [7, 8]
            the value is then absent, and this fits nowhere:
              ✗ client 3   get: 2                     [9, 10]
            under way at that time, and not placed:
              ? client 0   put 4                      [6, open]

            """, violation.ToString(), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Only_the_end_of_a_long_prefix_is_shown()
    {
        IEnumerable<Operation> puts = Enumerable.Range(0, 100).Select(i => Put(i, 2 * i, 2 * i + 1));
        string text = Find([.. puts, Get(0, 300, 301)]).ToString();

        Assert.Contains("100 operations fit, of which the last 30 are", text, StringComparison.Ordinal);
        Assert.DoesNotContain("put 69 ", text, StringComparison.Ordinal);
        Assert.Contains("put 70 ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_violation_names_the_key()
    {
        Operation elsewhere = Get(1, 2, 3) with { Key = 5 };
        Assert.Equal(5, Find(Put(1, 0, 1), elsewhere).Key);
    }

    [Fact]
    public void The_history_is_right_before_the_culprit_completes_and_wrong_after()
    {
        int violations = 0;
        Histories.Sample(operations =>
        {
            if (LinearizabilityChecker.Check(operations).Violation is not { Culprit: Operation culprit })
                return;
            violations++;
            List<Operation> known = [.. KnownAt(culprit.Completed, operations)];
            Assert.False(PermutationChecker.IsLinearizable(known));
            known[known.IndexOf(culprit)] = culprit.WithoutCompletion();
            Assert.True(PermutationChecker.IsLinearizable(known));
        }, iter: 10_000, threads: 1);
        Assert.InRange(violations, 1_000, 9_000);
    }

    [Fact]
    public void The_prefix_is_a_linearization_of_what_completed_before_the_culprit()
    {
        Histories.Sample(operations =>
        {
            if (LinearizabilityChecker.Check(operations).Violation is not { Culprit: Operation culprit } violation)
                return;
            Operation[] prefix = [.. violation.Prefix];
            Assert.Distinct(prefix);
            IEnumerable<Operation> before = operations.Where(operation => operation.Completed < culprit.Completed);
            Assert.Subset(prefix.ToHashSet(), before.ToHashSet());
            for (int i = 0; i < prefix.Length; i++)
                Assert.DoesNotContain(prefix[i..], later => later.Completed < prefix[i].Invoked);

            // Without overlap, the order of the prefix is the only one to try. Operations that complete later have
            // taken effect.
            IEnumerable<Operation> sequence = prefix.Select((operation, i) => (operation.Completed < culprit.Completed
                ? operation with { Completed = 2 * i + 1 }
                : operation.Succeeded(2 * i + 1)) with { Invoked = 2 * i });
            Assert.True(PermutationChecker.IsLinearizable([.. sequence]));
        }, iter: 10_000, threads: 1);
    }

    /// <summary>
    /// Histories of one key: right, except for one get that may have returned anything. No two events have the same
    /// time.
    /// </summary>
    private static readonly Gen<Operation[]> Histories = Gen.Select(
        Step.Any(keys: 1, spread: 40).Array[1, 7], Gen.Int[0, 6], Gen.Int[-1, 2], Gen.Int[0, 40],
        (steps, index, value, after) =>
        {
            Operation[] operations = Step.Run(steps, distinct: false);
            index %= operations.Length;
            operations[index] = Operation.Get(index, 0, operations[index].Invoked).Returned(value, 10 * index + after);
            return InDistinctTimes(operations);
        });

    private static Operation[] InDistinctTimes(Operation[] operations)
    {
        (long Time, bool Completes, int Index)[] events =
        [
            .. operations.Select((operation, i) => (operation.Invoked, false, i)),
            .. operations.Select((operation, i) => (operation.Completed, true, i)),
        ];
        Array.Sort(events);
        Operation[] distinct = [.. operations];
        for (int time = 0; time < events.Length; time++)
        {
            ref Operation operation = ref distinct[events[time].Index];
            if (!events[time].Completes)
                operation = operation with { Invoked = time };
            else if (operation.Outcome != Outcome.Unknown)
                operation = operation with { Completed = time };
        }
        return distinct;
    }

    private static IEnumerable<Operation> KnownAt(long time, Operation[] operations) => operations
        .Where(operation => operation.Invoked <= time)
        .Select(operation => operation.Completed <= time ? operation : operation.WithoutCompletion());

    private static Violation Find(params Operation[] operations)
    {
        Violation? violation = LinearizabilityChecker.Check(operations).Violation;
        Assert.NotNull(violation);
        return violation;
    }
}
