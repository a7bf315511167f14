using RaftFast.Server.Peers.Inbound;

namespace RaftFast.Server.Tests.Peers.Inbound;

public sealed class PendingHandshakesTests
{
    [Fact]
    public void Beyond_the_bound_the_oldest_gives_way_unless_it_has_left()
    {
        PendingHandshakes pending = new(2);
        List<string> closed = [];
        LinkedListNode<Action> first = pending.Enter(() => closed.Add("first"));
        pending.Enter(() => closed.Add("second"));
        Assert.Empty(closed);
        pending.Enter(() => closed.Add("third"));
        Assert.Equal(["first"], closed);
        pending.Leave(first);
        LinkedListNode<Action> fourth = pending.Enter(() => closed.Add("fourth"));
        Assert.Equal(["first", "second"], closed);
        pending.Leave(fourth);
        pending.Enter(() => closed.Add("fifth"));
        Assert.Equal(["first", "second"], closed);
    }
}
