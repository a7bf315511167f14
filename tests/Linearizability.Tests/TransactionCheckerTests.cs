namespace RaftFast.Linearizability.Tests;

/// <summary>Keys are 0 to 2. The values of key k begin with 10k + 1.</summary>
public sealed class TransactionCheckerTests
{
    private const int Keys = 3;

    [Fact]
    public void Transaction_in_the_order_of_the_log_is_accepted()
    {
        Accepts(
            Put(5, 0, 1, (0, 1), (1, 11)),
            Get(2, 3, 0, 5, 1),
            Done(7, 4, 5, [Tag(0, 5)], [(0, 2), (1, -1)], new KeyState(2, 0, -1)),
            Failed(8, 6, 7, 1, Exists(0), Tag(0, 5)),
            Get(8, 9, 1, 0, -1));
    }

    [Fact]
    public void Concurrent_operations_may_have_any_order()
    {
        Accepts(
            Put(6, 0, 9, (0, 1)), Put(5, 1, 8, (0, 2)), Get(2, 7, 0, 0, -1), Get(2, 7, 0, 5, 2), Get(2, 7, 0, 6, 1));
    }

    [Fact]
    public void Torn_transaction_is_found()
    {
        TransactionOperation both = Put(5, 0, 1, (0, 1), (1, 11));
        Refuses("GET", both, Get(2, 3, 1, 0, -1));
        Refuses("has read", both, Done(6, 2, 3, [], [], new KeyState(1, 0, -1)));
        Refuses("condition 0", both, Done(6, 2, 3, [Absent(1)], [(2, 21)]));
    }

    [Fact]
    public void Torn_transaction_with_an_unknown_outcome_is_found_once_a_part_is_seen()
    {
        TransactionOperation both = Open(0, [], (0, 1), (1, 11));
        Accepts(both, Get(2, 3, 0, 0, -1));
        Accepts(both, Get(2, 3, 0, 5, 1), Get(4, 5, 1, 5, 11));
        Refuses("GET", both, Get(2, 3, 0, 5, 1), Get(4, 5, 1, 0, -1));
        Refuses("two places", both, Get(2, 3, 0, 5, 1), Get(4, 5, 1, 6, 11));
    }

    [Fact]
    public void Lost_transaction_is_found()
    {
        Refuses("GET", Put(5, 0, 1, (0, 1)), Put(6, 2, 3, (0, 2)), Get(4, 5, 0, 5, 1));
        Refuses("condition 0", Put(5, 0, 1, (0, 1)), Failed(6, 2, 3, 0, Exists(0)));
    }

    [Fact]
    public void Read_of_the_middle_is_found()
    {
        TransactionOperation before = Put(5, 0, 1, (0, 1), (1, 11));
        TransactionOperation after = Put(6, 2, 9, (0, 2), (1, 12));
        Accepts(before, after, Get(3, 4, 0, 5, 1), Get(5, 6, 1, 6, 12));
        Refuses("GET", before, after, Get(3, 4, 0, 6, 2), Get(5, 6, 1, 5, 11));
        Refuses(
            "has read", before, after, Done(7, 3, 4, [], [], new KeyState(0, 6, 2), new KeyState(1, 5, 11)));
    }

    [Fact]
    public void Stale_read_is_found()
    {
        Refuses("GET", Put(5, 0, 1, (0, 1)), Put(6, 2, 3, (0, 2)), Get(4, 5, 0, 5, 1));
        Refuses("GET", Put(5, 0, 1, (0, 1)), Put(6, 2, 9, (0, 2)), Get(3, 4, 0, 6, 2), Get(5, 6, 0, 5, 1));
        Refuses("GET", Put(5, 0, 1, (0, 1)), Get(2, 3, 0, 6, 2), Put(6, 4, 5, (0, 2)));
    }

    [Fact]
    public void Condition_that_was_judged_when_proposed_is_found()
    {
        Refuses(
            "condition 0", Put(5, 0, 1, (0, 1)), Put(6, 2, 8, (0, 2)), Done(7, 3, 9, [Tag(0, 5)], [(1, 11)]));
        Refuses("condition 0", Put(6, 0, 8, (0, 2)), Failed(7, 1, 9, 0, Exists(0)));
    }

    [Fact]
    public void Effect_of_a_failed_transaction_is_found()
    {
        TransactionOperation failed = Failed(5, 0, 1, 0, Exists(0)) with { Writes = [new(1, 11)] };
        Refuses("failed", failed, Get(2, 3, 1, 5, 11));
    }

    [Fact]
    public void Transaction_that_was_applied_again_is_found()
    {
        Refuses("two places", Put(7, 0, 9, (0, 1)), Get(2, 3, 0, 5, 1));
        TransactionOperation again = Failed(7, 0, 9, 0, Absent(0)) with { Writes = [new(0, 1)] };
        Refuses("failed", again, Get(2, 3, 0, 5, 1));
    }

    [Fact]
    public void Order_of_the_log_must_be_that_of_real_time()
    {
        Refuses("later place", Put(6, 0, 1, (0, 1)), Put(5, 2, 3, (1, 11)));
        Refuses("one entry", Put(5, 0, 1, (0, 1)), Put(5, 2, 3, (1, 11)));
        Refuses("nobody wrote", Get(0, 1, 0, 5, 1));
        Refuses("if and only if", Get(0, 1, 0, 5, -1));
    }

    [Fact]
    public void Unknown_deletion_may_have_happened_until_an_answer_tells()
    {
        TransactionOperation put = Put(5, 0, 1, (0, 1));
        TransactionOperation deletion = Open(2, [], (0, -1));
        Accepts(put, deletion, Get(3, 4, 0, 5, 1), Get(5, 6, 0, 0, -1));
        Accepts(put, deletion, Done(6, 3, 4, [Exists(0)], [(1, 11)]), Done(7, 5, 6, [Absent(0)], [(1, 12)]));
        Refuses("GET", put, Get(2, 3, 0, 0, -1), Put(6, 4, 5, (1, 11)), deletion with { Invoked = 6 });
    }

    [Fact]
    public void Unknown_operation_happens_only_where_its_conditions_hold()
    {
        TransactionOperation put = Put(5, 0, 1, (0, 1));
        TransactionOperation renewed = Put(6, 3, 4, (0, 2));
        TransactionOperation deletion = Open(2, [Tag(0, 5)], (0, -1));
        Accepts(put, deletion, Get(3, 4, 0, 0, -1));
        Refuses("GET", put, deletion, renewed, Get(5, 6, 0, 0, -1));
        // One unknown operation may be what another one needs.
        Accepts(Open(0, [Exists(1)], (2, 21)), Open(0, [], (1, 11)), Done(5, 1, 2, [Exists(2)], [(0, 1)]));
        Refuses("condition 0", Open(0, [Exists(1)], (2, 21)), Done(5, 1, 2, [Exists(2)], [(0, 1)]));
    }

    [Fact]
    public void Value_expires_from_its_time_on_and_not_before()
    {
        TransactionOperation put = Put(5, 0, 1, (0, 1));
        TransactionOperation expiry = TransactionOperation.Expiry(0, 1) with { Invoked = 4 };
        Accepts(put, expiry, Put(6, 5, 6, (1, 11)), Get(7, 8, 0, 0, -1));
        Accepts(put, expiry, Put(6, 5, 6, (1, 11)), Get(7, 8, 0, 5, 1));
        Refuses("condition", put, expiry, Done(6, 2, 3, [Absent(0)], [(1, 11)]), Put(7, 5, 6, (1, 12)));
        Refuses("GET", put, Put(6, 2, 3, (0, 2)), expiry, Get(7, 8, 0, 0, -1));
        // A write that did not happen has no value that expires.
        Accepts(expiry, Put(5, 5, 6, (0, 2)), Get(7, 8, 0, 5, 2));
        // The value of an unknown write expires, too.
        Accepts(
            Open(0, [], (0, 1)), expiry, Done(5, 1, 3, [Exists(0)], [(1, 11)]), Done(6, 5, 6, [Absent(0)], [(1, 12)]));
    }

    private static void Accepts(params TransactionOperation[] operations) =>
        Assert.Null(TransactionChecker.Check(operations, Keys));

    private static void Refuses(string why, params TransactionOperation[] operations) =>
        Assert.Contains(why, TransactionChecker.Check(operations, Keys), StringComparison.Ordinal);

    private static TransactionCondition Exists(int key) => new(key, ConditionKind.Exists);

    private static TransactionCondition Absent(int key) => new(key, ConditionKind.Absent);

    private static TransactionCondition Tag(int key, long tag) => new(key, ConditionKind.HasTag, tag);

    private static TransactionOperation Put(
        long index, long invoked, long completed, params (int Key, int Value)[] writes) =>
        Done(index, invoked, completed, [], writes);

    private static TransactionOperation Done(
        long index, long invoked, long completed, TransactionCondition[] conditions, (int Key, int Value)[] writes,
        params KeyState[] reads) =>
        Open(invoked, conditions, writes) with
        {
            Outcome = Outcome.Succeeded, Index = index, Completed = completed, Reads = reads,
        };

    private static TransactionOperation Failed(
        long index, long invoked, long completed, int failedAt, params TransactionCondition[] conditions) =>
        Open(invoked, conditions) with
        {
            Outcome = Outcome.Mismatched, Index = index, Completed = completed, FailedAt = failedAt,
        };

    private static TransactionOperation Open(
        long invoked, TransactionCondition[] conditions, params (int Key, int Value)[] writes) => new(0)
        {
            Invoked = invoked,
            Conditions = conditions,
            Writes = [.. writes.Select(write => new TransactionWrite(write.Key, write.Value))],
        };

    private static TransactionOperation Get(long invoked, long completed, int key, long tag, int value) =>
        Done(0, invoked, completed, [], [], new KeyState(key, tag, value));
}
