using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Tests.Node;

/// <summary>Member 1 leads alone, and the node's caller may have more requests at hand.</summary>
public sealed class HeldWritesTests : IRequestOwner, IDisposable
{
    private readonly TestMember member;
    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly RaftNode node;

    public HeldWritesTests()
    {
        member = new TestMember(TestMember.Alone, new RecordedNetwork());
        (core, wal, node) = (member.Core, member.Wal, member.Node);
        while (!core.IsLeader)
        {
            node.OnTick();
            node.EndBatch();
            TestNode.WriteLog(wal, node);
        }
    }

    public void Dispose() => member.Dispose();

    [Fact]
    public void Writes_of_several_rounds_share_a_write_to_the_log()
    {
        long last = core.Log.Last.Index;
        for (int round = 0; round < 3; round++)
        {
            Put(valueBytes: 100);
            node.EndBatch(mayHold: true);
            Assert.True(node.HoldsForMore);
        }
        Assert.Equal(last, core.Log.Last.Index);
        node.EndBatch();
        Assert.False(node.HoldsForMore);
        Assert.Equal(last + 3, core.Log.Last.Index);
        Assert.True(wal.Writer.TryTake(out WalBatch batch));
        Assert.Equal(core.Log.Last, batch.Last);
    }

    [Fact]
    public void Writes_that_fill_an_append_are_not_held()
    {
        long last = core.Log.Last.Index;
        while (core.Log.Last.Index == last)
        {
            Put(valueBytes: core.AppendBytesMax / 4);
            node.EndBatch(mayHold: true);
        }
        Assert.False(node.HoldsForMore);
        Assert.Equal(last + 4, core.Log.Last.Index);
    }

    [Fact]
    public void The_loop_lets_held_writes_go_at_the_round_that_may_not_hold_and_does_not_wait_for_a_tick()
    {
        Inbox inbox = new(64);
        using NodeLoop loop = new(node, inbox);
        loop.Start();
        for (int held = 0; held < 20;)
        {
            inbox.BeginRound();
            inbox.PostAndRun(NewPut(valueBytes: 100), 1);
            // A tick lets go, too.
            if (!inbox.EndRound(mayHold: true))
                continue;
            held++;
            inbox.BeginRound();
            Assert.False(inbox.EndRound(mayHold: false));
            Assert.False(InTurn(inbox, () => node.HoldsForMore));
        }
    }

    bool IRequestOwner.MarkForResume() => false;

    void IRequestOwner.Resume()
    {
    }

    private static T InTurn<T>(Inbox inbox, Func<T> read)
    {
        Eventually.True(inbox.TryTakeTurn);
        try
        {
            return read();
        }
        finally
        {
            inbox.GiveTurnBack(isDone: true);
        }
    }

    private void Put(int valueBytes) => node.OnRequest(NewPut(valueBytes));

    private ClientRequest NewPut(int valueBytes)
    {
        ClientRequest write = new(this);
        write.Begin();
        write.BeginPut("/key"u8, valueBytes);
        write.AppendBody(new byte[valueBytes]);
        write.EndBody();
        return write;
    }
}
