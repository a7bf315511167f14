using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Log;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.Node;

/// <summary>A cluster of one member, and a key with a time to live of a second.</summary>
public sealed class ExpiryTests : IDisposable
{
    private const int TimeToLive = 1000;

    private readonly TestMember member;
    private readonly StateMachine state;
    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly RaftNode node;

    public ExpiryTests()
    {
        member = new TestMember(TestMember.Alone, new RecordedNetwork());
        (core, wal, node) = (member.Core, member.Wal, member.Node);
        state = member.State;
        while (!core.IsLeader)
            node.OnTick();
        Settle();
    }

    public void Dispose() => member.Dispose();

    /// <summary>
    /// The member's times are rounded down to milliseconds. So the PUT may have come up to a millisecond after its log
    /// time, and another millisecond may be missing for each leader that has measured.
    /// </summary>
    [Fact]
    public void Key_lives_some_milliseconds_longer_than_its_time_and_never_shorter()
    {
        node.AdvanceTo(100);
        node.OnFrames(2, Put());
        Settle();
        Assert.True(Exists);
        for (int now = 100; now < 100 + TimeToLive + 10; now++)
        {
            AdvanceTo(now);
            Assert.True(Exists, $"{now - 100} ms after the PUT");
        }
        AdvanceTo(100 + TimeToLive + 10);
        Assert.False(Exists);
    }

    private bool Exists => state.Store.TryGet("/key"u8, out _, out _);

    private void AdvanceTo(long now)
    {
        node.AdvanceTo(now);
        node.OnTick();
        Settle();
    }

    /// <summary>Writes all that the node publishes.</summary>
    private void Settle()
    {
        node.EndBatch();
        TestNode.WriteLog(wal, node);
    }

    private static byte[] Put()
    {
        byte[] record = new byte[Record.LengthOf(KeyCommand.HeaderSize + "/key"u8.Length)];
        Span<byte> payload = record.AsSpan(Record.HeaderSize);
        int length = KeyCommand.WriteHead(
            payload, CommandOperation.Put, default, default, "/key"u8, TimeToLive);
        record = record[..Record.LengthOf(length)];
        Record.Finish(record, RecordType.Command, length);
        return Frames.Bytes(new Message { Type = MessageType.Forward, Context = 1, Count = 1 }, record);
    }
}
