using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Log;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.Node;

/// <summary>Member 1 follows member 3, and its log fills up faster than its next segment is made.</summary>
public sealed class DroppedAppendTests : IDisposable
{
    private readonly TestMember member;
    private readonly RecordedNetwork network = new();
    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly RaftNode node;

    public DroppedAppendTests()
    {
        member = new TestMember(TestNode.Three, network);
        (core, wal, node) = (member.Core, member.Wal, member.Node);
    }

    public void Dispose() => member.Dispose();

    [Fact]
    public void Follower_asks_for_a_dropped_append_as_soon_as_its_log_has_room()
    {
        Fill();
        long last = core.Log.Last.Index;
        Assert.False(Append());
        Assert.Empty(network.Sent);
        Assert.True(wal.TryPrepareSegment());
        node.EndBatch();
        Message asked = Assert.Single(network.Sent);
        Assert.Equal((MessageType.AppendResponse, true, 3ul), (asked.Type, asked.Rejected, asked.To));
        Assert.Equal((last, core.Log.Last), (asked.Context, asked.Position));
        node.EndBatch();
        Assert.Single(network.Sent);
        Assert.True(Append());
    }

    /// <summary>
    /// Room for most appends is not enough: the leader would send the largest again and again, at the network's speed.
    /// </summary>
    [Fact]
    public void Follower_does_not_ask_while_the_largest_append_might_be_dropped_again()
    {
        for (int i = 0; i < 6; i++)
            Assert.True(Append(valueBytes: 1_000_000));
        Assert.True(Append(valueBytes: 600_000));
        TestNode.WriteLog(wal, node);
        network.Sent.Clear();
        Assert.True(wal.HasRoom(core.AppendBytesMax));
        Assert.False(Append(valueBytes: 1_000_000));
        for (int i = 0; i < 10; i++)
            node.EndBatch();
        Assert.Empty(network.Sent);
    }

    [Fact]
    public void Follower_asks_no_other_leader()
    {
        Fill();
        node.OnFrames(2, Frames.Bytes(new Message { Type = MessageType.Heartbeat, From = 2, Term = 2 }));
        node.EndBatch();
        TestNode.WriteLog(wal, node);
        network.Sent.Clear();
        Assert.True(wal.TryPrepareSegment());
        node.EndBatch();
        Assert.Empty(network.Sent);
    }

    /// <summary>Receives appends until one is dropped.</summary>
    private void Fill()
    {
        while (Append())
            TestNode.WriteLog(wal, node);
        TestNode.WriteLog(wal, node);
        network.Sent.Clear();
    }

    /// <summary>Receives an append of one large entry.</summary>
    /// <returns>False if the follower has dropped the append.</returns>
    private bool Append(int valueBytes = 500_000)
    {
        LogPosition last = core.Log.Last;
        byte[] record = new byte[Record.LengthOf(PutCommand.PayloadLength(4, valueBytes))];
        PutCommand.WriteKey(record.AsSpan(Record.HeaderSize), "/key"u8);
        Record.Finish(record, RecordType.Command, record.Length - Record.HeaderSize);
        Record.Stamp(record, new LogPosition(1, last.Index + 1));
        Message append = new() { Type = MessageType.Append, From = 3, Term = 1, Position = last, Count = 1 };
        node.OnFrames(3, Frames.Bytes(append, record));
        node.EndBatch();
        return core.Log.Last.Index > last.Index;
    }
}
