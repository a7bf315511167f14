using static RaftFast.Linearizability.RegisterValue;
using static RaftFast.Linearizability.Tests.RegisterOperations;

namespace RaftFast.Linearizability.Tests;

/// <summary>Short histories written by hand, whose verdict a reader can see.</summary>
public sealed class RegisterHistoryTests
{
    [Fact]
    public void Nothing_at_all_is_linearizable() => IsLinearizable();

    [Fact]
    public void A_key_is_absent_at_first()
    {
        IsLinearizable(Get(Absent, 0, 1));
        IsViolation(Get(0, 0, 1));
    }

    [Fact]
    public void A_get_returns_what_the_put_before_it_wrote() => IsLinearizable(Put(1, 0, 1), Get(1, 2, 3));

    [Fact]
    public void A_stale_read_is_a_violation() => IsViolation(Put(1, 0, 1), Put(2, 2, 3), Get(1, 4, 5));

    [Fact]
    public void A_lost_update_is_a_violation() => IsViolation(Put(1, 0, 1), Get(Absent, 2, 3));

    [Fact]
    public void A_read_of_a_value_never_written_is_a_violation() => IsViolation(Put(1, 0, 1), Get(7, 0, 9));

    [Fact]
    public void A_read_of_a_value_written_only_later_is_a_violation() => IsViolation(Get(1, 0, 1), Put(1, 2, 3));

    [Fact]
    public void A_get_beside_a_put_may_return_either_value()
    {
        IsLinearizable(Put(1, 0, 1), Put(2, 2, 5), Get(1, 3, 4));
        IsLinearizable(Put(1, 0, 1), Put(2, 2, 5), Get(2, 3, 4));
    }

    [Fact]
    public void Once_a_get_has_seen_the_new_value_no_later_one_sees_the_old()
    {
        IsLinearizable(Put(1, 0, 1), Put(2, 2, 9), Get(1, 3, 4), Get(2, 5, 6));
        IsViolation(Put(1, 0, 1), Put(2, 2, 9), Get(2, 3, 4), Get(1, 5, 6));
    }

    [Fact]
    public void Two_clients_can_not_see_two_puts_in_opposite_orders() =>
        IsViolation(Put(1, 0, 9), Put(2, 0, 9), Get(1, 0, 1), Get(2, 2, 3), Get(1, 4, 5));

    [Fact]
    public void Equal_times_are_concurrent()
    {
        IsLinearizable(Put(1, 0, 1), Put(2, 2, 3), Get(1, 3, 4));
        IsViolation(Put(1, 0, 1), Put(2, 2, 3), Get(1, 4, 4));
    }

    [Fact]
    public void An_open_put_may_take_effect_late() =>
        IsLinearizable(Put(1, 0), Put(2, 1, 2), Get(2, 3, 4), Get(1, 100, 101), Get(1, 102, 103));

    [Fact]
    public void An_open_put_may_never_take_effect() =>
        IsLinearizable(Put(1, 0), Put(2, 1, 2), Get(2, 3, 4), Get(2, 100, 101));

    [Fact]
    public void An_open_put_takes_effect_once() =>
        IsViolation(Put(1, 0), Put(2, 1, 2), Get(1, 3, 4), Put(2, 5, 6), Get(1, 7, 8));

    [Fact]
    public void Two_open_puts_of_one_value_may_take_effect_twice() =>
        IsLinearizable(Put(1, 0), Put(1, 0), Get(1, 3, 4), Put(2, 5, 6), Get(1, 7, 8));

    [Fact]
    public void An_open_put_takes_no_effect_before_its_invocation()
    {
        IsViolation(Get(1, 0, 1), Put(1, 2));
        IsViolation(Put(1, 0), Get(1, 1, 2), Put(2, 3, 4), Get(1, 5, 6), Put(1, 7));
    }

    [Fact]
    public void Open_compare_and_sets_may_take_effect_as_a_chain()
    {
        IsLinearizable(Cas(2, 3, 0), Cas(1, 2, 0), Put(1, 1, 2), Get(3, 3, 4));
        IsViolation(Cas(2, 3, 0), Cas(0, 2, 0), Put(1, 1, 2), Get(3, 3, 4));
    }

    [Fact]
    public void An_open_get_says_nothing() => IsLinearizable(Put(1, 0, 1), Operation.Get(0, 0, 2));

    [Fact]
    public void A_compare_and_set_succeeds_only_on_the_value_that_it_expects()
    {
        IsLinearizable(Put(1, 0, 1), Cas(1, 2, 2, 3), Get(2, 4, 5));
        IsViolation(Put(1, 0, 1), Cas(3, 2, 2, 3));
    }

    [Fact]
    public void A_compare_and_set_does_not_fail_on_the_value_that_it_expects()
    {
        IsLinearizable(Put(1, 0, 1), CasMismatch(3, 2, 2, 3), Get(1, 4, 5));
        IsViolation(Put(1, 0, 1), CasMismatch(1, 2, 2, 3));
    }

    [Fact]
    public void A_compare_and_set_that_failed_has_no_effect() =>
        IsViolation(Put(1, 0, 1), CasMismatch(3, 2, 2, 3), Get(2, 4, 5));

    [Fact]
    public void One_value_can_be_exchanged_once()
    {
        IsViolation(Put(1, 0, 1), Cas(1, 2, 2, 9), Cas(1, 3, 2, 9));
        IsLinearizable(Put(1, 0, 1), Cas(1, 2, 2, 9), CasMismatch(1, 3, 2, 9));
    }

    [Fact]
    public void A_mismatch_may_be_the_effect_of_an_open_put_that_no_get_has_read()
    {
        IsLinearizable(Put(1, 0, 1), Put(2, 2), CasMismatch(1, 3, 4, 5));
        IsViolation(Put(1, 0, 1), Put(1, 2), CasMismatch(1, 3, 4, 5));
    }

    [Fact]
    public void A_compare_and_set_that_expects_absence_creates()
    {
        IsLinearizable(Cas(Absent, 1, 0, 1), Get(1, 2, 3), CasMismatch(Absent, 2, 4, 5));
        IsViolation(Cas(Absent, 1, 0, 1), Cas(Absent, 2, 2, 3));
    }

    [Fact]
    public void A_compare_and_set_that_expects_any_value_needs_one()
    {
        IsLinearizable(CasMismatch(Any, 1, 0, 1), Put(1, 2, 3), Cas(Any, 2, 4, 5), Get(2, 6, 7));
        IsViolation(Cas(Any, 1, 0, 1));
        IsViolation(Put(1, 0, 1), CasMismatch(Any, 2, 2, 3));
    }

    [Fact]
    public void A_deleted_key_is_absent()
    {
        IsLinearizable(Put(1, 0, 1), Delete(2, 3), Get(Absent, 4, 5));
        IsViolation(Put(1, 0, 1), Delete(2, 3), Get(1, 4, 5));
        IsLinearizable(Put(1, 0, 1), Cas(1, Absent, 2, 3), Get(Absent, 4, 5));
        IsLinearizable(Put(1, 0, 1), Delete(2), Get(Absent, 4, 5));
    }

    [Fact]
    public void Keys_are_registers_of_their_own()
    {
        IsLinearizable(Put(1, 0, 1), Put(2, 2, 3) with { Key = 5 }, Get(1, 4, 5), Get(2, 4, 5) with { Key = 5 });
        IsViolation(Put(1, 0, 1), Get(1, 2, 3), Get(1, 4, 5) with { Key = 5 });
    }

    [Fact]
    public void A_malformed_operation_is_a_bug_of_the_caller()
    {
        Operation put = Operation.Put(0, 0, 1, invoked: 5);
        Assert.Throws<Protocol.InvariantException>(() => LinearizabilityChecker.Check([put.Succeeded(4)]));
        Assert.Throws<Protocol.InvariantException>(() => LinearizabilityChecker.Check([put.Mismatched(6)]));
        Assert.Throws<Protocol.InvariantException>(() => LinearizabilityChecker.Check([put with { Completed = 6 }]));
        Assert.Throws<Protocol.InvariantException>(() => LinearizabilityChecker.Check([put with { Value = Absent }]));
    }

    private static void IsLinearizable(params Operation[] operations)
    {
        CheckResult result = LinearizabilityChecker.Check(operations);
        Assert.True(result.Linearizable, result.ToString());
    }

    private static void IsViolation(params Operation[] operations) =>
        Assert.False(LinearizabilityChecker.Check(operations).Linearizable);
}
