using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Log;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.Node;

/// <summary>
/// Member 1 of three leads in term 1, then follows member 3 in term 2. The write of the new term does not return.
/// Member 2 still takes member 1 for the leader.
/// </summary>
public sealed class HungTermTests : IPeerNetwork, IDisposable
{
    private readonly TestMember member;
    private readonly List<Message> sent = [];
    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly RaftNode node;

    public HungTermTests()
    {
        member = new TestMember(TestNode.Three, this);
        (core, wal, node) = (member.Core, member.Wal, member.Node);
        while (core.Role != RoleName.PreCandidate)
            node.OnTick();
        Receive(new Message { Type = MessageType.PreVoteResponse, From = 3, Term = 1 });
        WriteLog();
        Receive(new Message { Type = MessageType.VoteResponse, From = 3, Term = 1 });
        WriteLog();
        Assert.True(core.IsLeader);
        sent.Clear();
    }

    public void Dispose() => member.Dispose();

    // Raft paper, figure 2: only a message that depends on the new term waits for the write of that term.
    [Fact]
    public void Write_that_was_proposed_before_the_new_term_is_answered_at_once()
    {
        node.OnFrames(2, Forward(number: 7));
        Receive(new Message { Type = MessageType.Heartbeat, From = 3, Term = 2 });
        Message answer = Assert.Single(sent);
        Assert.Equal((MessageType.ForwardResponse, 2ul, 7L), (answer.Type, answer.To, answer.Context));
        Assert.Equal((1L, 1, new LogPosition(1, 2)), (answer.Term, answer.Count, answer.Position));
        WriteLog();
        // The answer to the heartbeat depends on the new term.
        Assert.Equal((MessageType.HeartbeatResponse, 2L), (sent[1].Type, sent[1].Term));
    }

    [Fact]
    public void Write_and_change_that_come_after_the_new_term_are_refused_at_once()
    {
        Receive(new Message { Type = MessageType.Heartbeat, From = 3, Term = 2 });
        Assert.Empty(sent);
        for (int ticks = 0; ticks < 2 * new RaftOptions().OverdueWriteTicks; ticks++)
        {
            node.OnTick();
            node.OnFrames(2, Forward(number: 1 + ticks));
            node.OnFrames(2, Change(number: 1 + ticks));
            node.EndBatch();
            Assert.Equal([MessageType.ForwardResponse, MessageType.ChangeMembersResponse], sent.Select(a => a.Type));
            Assert.All(sent, answer => Assert.Equal((1L, 1L + ticks), (answer.Term, answer.Context)));
            Assert.Equal((0, true), (sent[0].Count, sent[1].Rejected));
            sent.Clear();
        }
        Assert.True(core.LogWriteIsOverdue);
    }

    bool IPeerNetwork.CanSend(ulong peer) => false;

    bool IPeerNetwork.Send(in Message message, ReadOnlySpan<byte> records)
    {
        sent.Add(message);
        return true;
    }

    bool IPeerNetwork.Begin(in Message message, int recordsLength) => false;

    void IPeerNetwork.Write(ulong peer, ReadOnlySpan<byte> records)
    {
    }

    bool IPeerNetwork.SendSnapshot(ulong peer, long term) => false;

    long IPeerNetwork.OldestSnapshotBeingSent => long.MaxValue;

    void IPeerNetwork.Flush()
    {
    }

    void IPeerNetwork.Configure(ClusterConfiguration effective, ClusterConfiguration committed)
    {
    }

    void IPeerNetwork.Announced(ulong peer, PeerAddress address)
    {
    }

    private void Receive(in Message message)
    {
        node.OnFrames(message.From, Frames.Bytes(message));
        node.EndBatch();
    }

    private void WriteLog() => TestNode.WriteLog(wal, node);

    private static byte[] Forward(long number)
    {
        int length = PutCommand.PayloadLength(keyLength: 4, valueLength: 0);
        byte[] record = new byte[Record.LengthOf(length)];
        PutCommand.WriteKey(record.AsSpan(Record.HeaderSize), "/key"u8);
        Record.Finish(record, RecordType.Command, length);
        return Frames.Bytes(new Message { Type = MessageType.Forward, Context = number, Count = 1 }, record);
    }

    private static byte[] Change(long number)
    {
        MembershipChange change = new(MembershipChangeKind.Remove, 3);
        return Frames.Bytes(
            new Message { Type = MessageType.ChangeMembers, Context = number, Count = 1 }, change.ToRecord());
    }
}
