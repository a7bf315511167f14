namespace RaftFast.Linearizability.Tests;

public sealed class EventListTests
{
    private readonly EventList events = new(
    [
        RegisterOperations.Put(0, 0, 5),
        RegisterOperations.Put(1, 1, 2),
        RegisterOperations.Put(2, 2, 3),
        RegisterOperations.Put(3, 4, 6),
    ]);

    [Fact]
    public void Events_are_in_the_order_of_time_and_at_equal_times_the_invocation_comes_first() =>
        Assert.Equal([0, 2, 4, 3, 5, 6, 1, 7], Entries());

    [Fact]
    public void Lifted_operations_are_absent_until_they_are_restored_in_reverse_order()
    {
        events.Lift(1);
        Assert.Equal([0, 4, 5, 6, 1, 7], Entries());
        events.Lift(2);
        Assert.Equal([0, 6, 1, 7], Entries());
        events.Lift(0);
        Assert.Equal([6, 7], Entries());
        events.Restore(0);
        events.Restore(2);
        Assert.Equal([0, 4, 5, 6, 1, 7], Entries());
        events.Restore(1);
        Assert.Equal([0, 2, 4, 3, 5, 6, 1, 7], Entries());
    }

    [Fact]
    public void Lifted_invocation_still_leads_into_the_list()
    {
        EventList one = new([RegisterOperations.Put(0, 0, 1), RegisterOperations.Put(1, 2, 3)]);
        one.Lift(0);
        Assert.Equal(2, one.Next(0));
    }

    [Fact]
    public void A_completion_knows_how_many_were_invoked_before_it() =>
        Assert.Equal([4, 3, 3, 4], Enumerable.Range(0, 4).Select(events.InvokedBeforeCompletionOf));

    private List<int> Entries()
    {
        List<int> entries = [];
        for (int entry = events.First; entry != events.End; entry = events.Next(entry))
            entries.Add(entry);
        return entries;
    }
}
