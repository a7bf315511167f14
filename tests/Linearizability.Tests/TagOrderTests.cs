using CsCheck;

namespace RaftFast.Linearizability.Tests;

/// <summary>Histories whose answers have tags are decided as the definition decides them.</summary>
public sealed class TagOrderTests
{
    /// <summary>
    /// A history of one key. The n-th operation writes the value n if it writes, and the order of the tags is drawn. A
    /// get may return any value. One get in eight has a tag that was drawn without regard to its value.
    /// </summary>
    private static readonly Gen<Operation[]> Histories = Gen.Select(
        Gen.Select(Gen.Int[0, 8], Gen.Int[0, 5], Gen.Int[0, 12], Gen.Int[0, 8], Gen.Int[0, 7]).Array[1, 6],
        Gen.Shuffle(new[] { 10L, 20, 30, 40, 50, 60 }),
        (drawn, tags) =>
        {
            Operation[] operations = new Operation[drawn.Length];
            for (int i = 0; i < drawn.Length; i++)
            {
                (int kind, int other, int invoked, int duration, int chance) = drawn[i];
                int met = other % drawn.Length;
                long completed = invoked + duration;
                bool isOpen = duration % 4 == 0;
                operations[i] = kind switch
                {
                    0 => Operation.Get(0, 0, invoked).Returned(RegisterValue.Absent, completed),
                    1 or 2 => Operation.Get(0, 0, invoked).Returned(met, completed) with
                    {
                        Tag = chance == 0 ? 10 * (1 + other) : tags[met],
                    },
                    3 or 4 => Write(Operation.Put(0, 0, i, invoked), isOpen, completed, tags[i]),
                    5 => Write(Operation.CompareAndSet(0, 0, met, i, invoked), isOpen, completed, tags[i]),
                    6 => Operation.CompareAndSet(0, 0, chance < 4 ? -1 : i, i, invoked).Mismatched(completed) with
                    {
                        Tag = chance % 2 == 0 ? 0 : tags[met],
                    },
                    7 => Operation.Delete(0, 0, invoked).Succeeded(completed),
                    _ => Operation.Expire(0, 0, met, invoked),
                };
            }
            return operations;
        });

    [Fact]
    public void Tagged_operations_are_decided_as_all_their_permutations_decide()
    {
        int linearizable = 0;
        int violations = 0;
        Histories.Where(TellsEachTag).Sample(
            operations =>
            {
                bool expected = PermutationChecker.IsLinearizable(operations);
                linearizable += expected ? 1 : 0;
                violations += expected ? 0 : 1;
                return LinearizabilityChecker.Check(operations).Linearizable == expected;
            },
            iter: 60_000, threads: 1, print: operations => string.Join(Environment.NewLine, operations));
        Assert.InRange(linearizable, 3_000, 57_000);
        Assert.InRange(violations, 3_000, 57_000);
    }

    [Fact]
    public void A_right_history_is_never_refused() => Histories.Sample(
        operations => !PermutationChecker.IsLinearizable(operations)
            || LinearizabilityChecker.Check(operations).Linearizable,
        iter: 20_000, threads: 1, print: operations => string.Join(Environment.NewLine, operations));

    [Fact]
    public void Writes_take_effect_in_the_order_of_their_tags()
    {
        Operation first = Operation.Put(0, 0, 1, 0).Succeeded(10) with { Tag = 5 };
        Operation second = Operation.Put(1, 0, 2, 0).Succeeded(10) with { Tag = 4 };
        Operation sees1 = Operation.Get(2, 0, 11).Returned(1, 12) with { Tag = 5 };
        Operation sees2 = Operation.Get(2, 0, 11).Returned(2, 12) with { Tag = 4 };

        Assert.True(LinearizabilityChecker.Check([first, second, sees1]).Linearizable);
        Assert.False(LinearizabilityChecker.Check([first, second, sees2]).Linearizable);
    }

    [Fact]
    public void A_retry_that_is_answered_with_another_tag_than_the_write_has_is_found()
    {
        Operation put = Operation.Put(0, 0, 1, 0).Succeeded(10) with { Tag = 9 };
        Operation get = Operation.Get(1, 0, 11).Returned(1, 12) with { Tag = 5 };

        Assert.Equal(get, LinearizabilityChecker.Check([put, get]).Violation!.Culprit);
    }

    [Fact]
    public void A_tag_that_no_write_has_is_found_in_a_412()
    {
        Operation put = Operation.Put(0, 0, 1, 0).Succeeded(10) with { Tag = 5 };
        Operation create = Operation.CompareAndSet(1, 0, RegisterValue.Absent, 2, 11).Mismatched(12) with { Tag = 6 };
        Operation open = Operation.Put(2, 0, 3, 1);

        Assert.False(LinearizabilityChecker.Check([put, create]).Linearizable);
        Assert.True(LinearizabilityChecker.Check([put, create, open]).Linearizable);
    }

    [Fact]
    public void A_value_expires_only_at_its_time_or_later()
    {
        Operation put = Operation.Put(0, 0, 1, 0).Succeeded(1);
        Operation absent = Operation.Get(1, 0, 4).Returned(RegisterValue.Absent, 5);

        Assert.False(LinearizabilityChecker.Check([put, absent]).Linearizable);
        Assert.False(LinearizabilityChecker.Check([put, absent, Operation.Expire(0, 0, 1, 6)]).Linearizable);
        Assert.True(LinearizabilityChecker.Check([put, absent, Operation.Expire(0, 0, 1, 5)]).Linearizable);
    }

    [Fact]
    public void The_expiry_of_a_value_does_not_delete_the_next_one()
    {
        Operation put = Operation.Put(0, 0, 1, 0).Succeeded(1);
        Operation renewal = Operation.Put(0, 0, 2, 2).Succeeded(3);
        Operation absent = Operation.Get(1, 0, 4).Returned(RegisterValue.Absent, 5);

        Assert.False(LinearizabilityChecker.Check([put, renewal, absent, Operation.Expire(0, 0, 1, 1)]).Linearizable);
    }

    private static Operation Write(Operation write, bool isOpen, long completed, long tag) =>
        isOpen ? write : write.Succeeded(completed) with { Tag = tag };

    /// <summary>True if the tag of each 412 is that of a value whose write or reader was answered.</summary>
    private static bool TellsEachTag(Operation[] operations) => operations.All(mismatch =>
        mismatch.Outcome != Outcome.Mismatched || mismatch.Tag == 0 || operations.Any(other =>
            other.Outcome == Outcome.Succeeded && other.Tag == mismatch.Tag));
}
