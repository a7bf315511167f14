using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Recovery;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node;

/// <summary>
/// Member 1 of three leads after a restart, so the entries of its log are on the disk alone. The test is the thread
/// that reads them for the others.
/// </summary>
public sealed class FollowerReadsTests : IDisposable
{
    private const int Entries = 40;

    private readonly TemporaryDirectory directory = new();
    private readonly StateMachine state = new(new KeyValueStore());
    private readonly RecordedNetwork network = new();
    private readonly Queue<FollowerRead> reads = new();
    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly RaftNode node;

    public FollowerReadsTests()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Buffered);
        OldLog.Write(disk, Entries, valueBytes: 100_000);
        wal = Wal.Open(disk, clusterId: 1, memberId: 1, OldLog.Options, out WalRecovery recovery);
        core = new RaftCore(
            1, new ConfigurationHistory(TestNode.Three), new RaftOptions(), recovery.HardState,
            CoreRecovery.TermRuns(recovery), new Random(1));
        NodeParts parts = TestNode.Parts(core, wal, state, disk, network);
        node = new RaftNode(parts with { Actions = parts.Actions with { ReadEntries = reads.Enqueue } });
        Lead(term: 2);
    }

    public void Dispose()
    {
        wal.Dispose();
        state.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void Append_waits_for_the_read_and_the_next_entries_are_read_meanwhile()
    {
        RejectAfter(member: 2, index: 10);
        Assert.DoesNotContain(network.Sent, static message => message.Type == MessageType.Append);
        Complete(Assert.Single(reads));
        Message append = Assert.Single(network.Sent, static message => message.Type == MessageType.Append);
        Assert.Equal((2ul, 2L, new LogPosition(1, 10)), (append.To, append.Term, append.Position));
        Assert.Equal(5, append.Count);
        // The next entries are read at once, and are sent after the acknowledgement.
        Assert.Equal((2, 16L), (reads.Count, reads.Last().Entries.First));
        Complete(reads.Last());
        Assert.Single(network.Sent, static message => message.Type == MessageType.Append);
        Acknowledge(member: 2, index: 15);
        Assert.Equal(
            new LogPosition(1, 15),
            network.Sent.Last(static message => message.Type == MessageType.Append).Position);
        Assert.Equal((3, 21L), (reads.Count, reads.Last().Entries.First));
    }

    [Fact]
    public void Heartbeats_and_other_members_go_on_while_a_read_is_out()
    {
        RejectAfter(member: 2, index: 10);
        RejectAfter(member: 3, index: 20);
        Assert.Equal([11, 21], reads.Select(static read => read.Entries.First));
        for (int tick = 0; tick < 20; tick++)
        {
            node.OnTick();
            Receive(new Message { Type = MessageType.HeartbeatResponse, From = 2, Term = 2 });
            Receive(new Message { Type = MessageType.HeartbeatResponse, From = 3, Term = 2 });
        }
        Assert.Equal(2, reads.Count);
        Assert.True(network.Sent.Count(static message => message is { Type: MessageType.Heartbeat, To: 2 }) >= 4);
        // The later read comes first. Its follower catches up, and entries in memory are sent and committed.
        FollowerRead late = reads.Dequeue();
        for (int read = 0; core.Log.Committed < Entries + 1; read++)
        {
            Assert.True(read < Entries);
            if (reads.TryDequeue(out FollowerRead? next))
                Complete(next);
            Message last = network.Sent.Concat(network.Begun)
                .Where(static message => message is { Type: MessageType.Append, To: 3 })
                .MaxBy(static message => message.Position.Index + message.Count);
            Acknowledge(member: 3, last.Position.Index + last.Count);
        }
        Assert.DoesNotContain(network.Sent, static message => message is { Type: MessageType.Append, To: 2 });
        Complete(late);
        Assert.Contains(network.Sent, static message => message is { Type: MessageType.Append, To: 2, Count: > 0 });
    }

    [Fact]
    public void Entries_that_the_follower_no_longer_wants_next_are_read_again()
    {
        RejectAfter(member: 2, index: 10);
        FollowerRead read = reads.Dequeue();
        RejectAfter(member: 2, index: 5);
        Assert.Empty(reads);
        Complete(read);
        Assert.DoesNotContain(network.Sent, static message => message.Type == MessageType.Append);
        Assert.Equal(6, Assert.Single(reads).Entries.First);
    }

    [Fact]
    public void Entries_that_were_read_in_a_former_term_are_not_sent()
    {
        RejectAfter(member: 2, index: 10);
        FollowerRead read = reads.Dequeue();
        Receive(new Message { Type = MessageType.Heartbeat, From = 3, Term = 3 });
        WriteLog();
        Lead(term: 4);
        RejectAfter(member: 2, index: 10);
        Assert.Empty(reads);
        Complete(read);
        Assert.DoesNotContain(network.Sent, static message => message.Type == MessageType.Append);
        FollowerRead again = Assert.Single(reads);
        Assert.Equal((11L, 4L), (again.Entries.First, again.Term));
    }

    [Fact]
    public void Read_that_comes_back_to_a_follower_is_dropped()
    {
        RejectAfter(member: 2, index: 10);
        Receive(new Message { Type = MessageType.Heartbeat, From = 3, Term = 3 });
        WriteLog();
        Complete(reads.Dequeue());
        Assert.DoesNotContain(network.Sent, static message => message.Type == MessageType.Append);
    }

    [Fact]
    public void Damage_of_the_log_stops_the_member()
    {
        using (FileStream segment = File.OpenWrite(Path.Combine(directory.Location, "wal-0000000000000001.log")))
        {
            segment.Position = 4096;
            segment.Write(new byte[1 << 20]);
        }
        RejectAfter(member: 2, index: 1);
        FollowerRead read = reads.Dequeue();
        while (read.Step())
        {
        }
        Assert.Throws<StorageException>(() => node.OnEntriesRead(read));
    }

    [Fact]
    public void Leader_whose_read_does_not_return_steps_down()
    {
        RejectAfter(member: 2, index: 10);
        for (int tick = 0; tick < 2 * new RaftOptions().OverdueWriteTicks && core.IsLeader; tick++)
        {
            node.OnTick();
            Receive(new Message { Type = MessageType.HeartbeatResponse, From = 2, Term = 2 });
            Receive(new Message { Type = MessageType.HeartbeatResponse, From = 3, Term = 2 });
        }
        Assert.False(core.IsLeader);
        Assert.True(core.LogReadIsOverdue);
        Complete(reads.Dequeue());
        Assert.False(core.LogReadIsOverdue);
    }

    private void Lead(long term)
    {
        while (core.Role != RoleName.PreCandidate)
            node.OnTick();
        Receive(new Message { Type = MessageType.PreVoteResponse, From = 3, Term = term });
        WriteLog();
        Receive(new Message { Type = MessageType.VoteResponse, From = 3, Term = term });
        WriteLog();
        Assert.True(core.IsLeader);
        Assert.Equal(term, core.Term);
        network.Sent.Clear();
        network.Begun.Clear();
    }

    /// <summary>The member rejects the leader's probe: its log ends at this index.</summary>
    private void RejectAfter(ulong member, long index)
    {
        long rejected = core.Followers().Single(follower => follower.Id == member).Next - 1;
        Receive(new Message
        {
            Type = MessageType.AppendResponse,
            From = member,
            Term = core.Term,
            Rejected = true,
            Position = new LogPosition(1, index),
            Context = rejected,
        });
    }

    private void Acknowledge(ulong member, long index) => Receive(new Message
    {
        Type = MessageType.AppendResponse,
        From = member,
        Term = core.Term,
        Position = new LogPosition(core.Log.TermAt(index), index),
    });

    private void Complete(FollowerRead read)
    {
        while (read.Step())
        {
        }
        node.OnEntriesRead(read);
        node.EndBatch();
    }

    private void Receive(in Message message)
    {
        node.OnFrames(message.From, Frames.Bytes(message));
        node.EndBatch();
    }

    private void WriteLog() => TestNode.WriteLog(wal, node);
}
