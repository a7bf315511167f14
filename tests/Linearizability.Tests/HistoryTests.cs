namespace RaftFast.Linearizability.Tests;

public sealed class HistoryTests
{
    private readonly History history = new();

    [Fact]
    public void Events_are_numbered_in_the_order_of_the_calls()
    {
        int put = history.Invoke(Operation.Put(1, 0, 7));
        int get = history.Invoke(Operation.Get(2, 0));
        history.Succeed(put);
        history.Return(get, 7);
        int cas = history.Invoke(Operation.CompareAndSet(1, 0, 8, 9));
        history.Mismatch(cas);

        Assert.Equal(
            [
                Operation.Put(1, 0, 7, 0).Succeeded(2),
                Operation.Get(2, 0, 1).Returned(7, 3),
                Operation.CompareAndSet(1, 0, 8, 9, 4).Mismatched(5),
            ],
            history.Snapshot());
    }

    [Fact]
    public void An_operation_not_completed_is_open()
    {
        history.Invoke(Operation.Delete(1, 0));
        Assert.Equal([Operation.Delete(1, 0, 0)], history.Snapshot());
    }

    [Fact]
    public void An_operation_that_certainly_did_not_happen_is_in_no_history()
    {
        int withdrawn = history.Invoke(Operation.Put(1, 0, 7));
        history.Invoke(Operation.Put(1, 0, 8));
        history.Withdraw(withdrawn);
        Assert.Equal([Operation.Put(1, 0, 8, 1)], history.Snapshot());
    }

    [Fact]
    public void An_operation_completes_once_and_only_as_its_kind_can()
    {
        int put = history.Invoke(Operation.Put(1, 0, 7));
        int get = history.Invoke(Operation.Get(1, 0));
        int withdrawn = history.Invoke(Operation.Get(1, 0));
        history.Withdraw(withdrawn);

        Assert.Throws<Protocol.InvariantException>(() => history.Return(put, 7));
        Assert.Throws<Protocol.InvariantException>(() => history.Mismatch(put));
        Assert.Throws<Protocol.InvariantException>(() => history.Succeed(get));
        Assert.Throws<Protocol.InvariantException>(() => history.Return(withdrawn, 7));
        history.Succeed(put);
        Assert.Throws<Protocol.InvariantException>(() => history.Succeed(put));
        Assert.Throws<Protocol.InvariantException>(() => history.Withdraw(put));
    }

    [Fact]
    public void A_register_that_threads_share_under_a_lock_gives_a_linearizable_history()
    {
        Lock register = new();
        int value = RegisterValue.Absent;
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, client =>
        {
            for (int i = 0; i < 500; i++)
            {
                bool reads = i % 2 == 0;
                int written = 1000 * client + i;
                int operation = history.Invoke(reads ? Operation.Get(client, 0) : Operation.Put(client, 0, written));
                int read;
                lock (register)
                {
                    read = value;
                    value = reads ? value : written;
                }
                if (reads)
                    history.Return(operation, read);
                else
                    history.Succeed(operation);
            }
        });

        IReadOnlyList<Operation> operations = history.Snapshot();
        Assert.Equal(2000, operations.Count);
        CheckResult result = LinearizabilityChecker.Check(operations);
        Assert.True(result.Linearizable, result.ToString());
    }
}
