using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Requests;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node.Requests;

/// <summary>Reads on member 1, which follows member 2.</summary>
public sealed class PendingReadsTests : IRequestOwner, IDisposable
{
    private static readonly ClusterConfiguration Three = ClusterConfiguration.Bootstrap(
        [new PeerAddress("127.0.0.1", 1), new PeerAddress("127.0.0.1", 2), new PeerAddress("127.0.0.1", 3)]);

    private readonly RaftCore core = new(
        1, new ConfigurationHistory(Three), new RaftOptions(), default, new TermRuns(), new Random(1));
    private readonly KeyValueStore store = new();
    private readonly PendingReads reads;

    public PendingReadsTests()
    {
        reads = new PendingReads(core, new StateMachine(store), new Answers(), firstNumber: 100, requestTimeout: 1000);
        Follow(term: 1, leader: 2);
    }

    public void Dispose() => store.Dispose();

    bool IRequestOwner.MarkForResume() => false;

    void IRequestOwner.Resume()
    {
    }

    [Fact]
    public void Answer_to_an_earlier_attempt_for_the_same_reads_serves()
    {
        ClientRequest read = Add();
        Assert.Equal(101, Asked());
        ClientRequest later = Add();
        Assert.Equal(0, Asked());
        // On a slow network each answer comes after the next attempt.
        Assert.Equal(102, AskedAfterRetry());
        Confirm(101);
        Assert.True(read.IsFinished);
        // The read that came after that attempt needs an attempt of its own.
        Assert.False(later.IsFinished);
        Assert.Equal(103, Asked());
        Confirm(102);
        Assert.False(later.IsFinished);
        Assert.Equal(104, AskedAfterRetry());
        Confirm(103);
        Assert.True(later.IsFinished);
    }

    [Fact]
    public void New_leader_is_asked_at_once_for_all_that_wait()
    {
        ClientRequest read = Add();
        Assert.Equal(101, Asked());
        ClientRequest later = Add();
        Follow(term: 2, leader: 3);
        Assert.Equal(102, Asked());
        Confirm(101);
        Assert.False(read.IsFinished);
        Confirm(102);
        Assert.True(read.IsFinished && later.IsFinished);
    }

    [Fact]
    public void Reads_wait_for_a_leader_together()
    {
        Message rejection = new() { Type = MessageType.VoteResponse, Rejected = true, From = 3, To = 1, Term = 5 };
        core.Step(rejection, default);
        ClientRequest read = Add();
        Assert.Equal(0, Asked());
        ClientRequest later = Add();
        Assert.Equal(0, Asked());
        Follow(term: 6, leader: 2);
        Assert.Equal(101, Asked());
        Confirm(101);
        Assert.True(read.IsFinished && later.IsFinished);
    }

    [Fact]
    public void Batch_copies_a_bounded_number_of_bytes_and_small_values_first()
    {
        Put(new byte[200_000]);
        ClientRequest[] large = [Add(), Add(), Add()];
        Asked();
        Confirm(101);
        Assert.Equal([true, true, false], large.Select(read => read.IsFinished));
        Assert.True(reads.HasMoreToAnswer);

        store.Delete("/key"u8);
        ClientRequest small = Add();
        Asked();
        Confirm(102);
        Assert.True(small.IsFinished && large[2].IsFinished);
        Assert.False(reads.HasMoreToAnswer);
    }

    [Fact]
    public void Read_without_room_for_its_value_waits_for_room_and_delays_no_other()
    {
        Put(new byte[10_000]);
        ClientMemory all = new(15_000);
        ClientRequest first = Add(new ConnectionMemory(all, 15_000));
        ClientRequest second = Add(new ConnectionMemory(all, 15_000), new OtherClient());
        Asked();
        Confirm(101);
        Assert.True(first.IsFinished);
        Assert.False(second.IsFinished);
        Assert.True(reads.LacksRoom);
        Assert.False(reads.HasMoreToAnswer);

        store.Delete("/key"u8);
        ClientRequest other = Add();
        Asked();
        Confirm(102);
        Assert.True(other.IsFinished);

        reads.Tick();
        Assert.True(second.IsFinished);
        Assert.False(reads.LacksRoom);
    }

    /// <summary>Answers leave in order: the later read's answer would hold the room, and never leave.</summary>
    [Fact]
    public void Later_read_of_a_connection_does_not_take_the_room_that_an_earlier_one_waits_for()
    {
        Put(new byte[10_000]);
        ClientMemory all = new(17_000);
        Add(new ConnectionMemory(all, 17_000), new OtherClient());
        ClientRequest first = Add(new ConnectionMemory(all, 17_000));
        Asked();
        Confirm(101);
        Assert.False(first.IsFinished);

        Put(new byte[2000]);
        ClientRequest second = Add(new ConnectionMemory(all, 17_000));
        Asked();
        Confirm(102);
        Assert.False(second.IsFinished);
        reads.Tick();
        Assert.Equal((true, false), (first.IsFinished, second.IsFinished));
    }

    [Fact]
    public void Read_that_finds_no_room_in_time_is_not_done()
    {
        Put(new byte[10_000]);
        ClientRequest read = Add(new ConnectionMemory(new ClientMemory(0), 15_000));
        Asked();
        Confirm(101);
        reads.Tick();
        reads.Expire(999);
        Assert.False(read.IsFinished);
        reads.Expire(1000);
        Assert.Equal(503, read.Status);
        Assert.False(reads.LacksRoom);
    }

    private void Put(ReadOnlySpan<byte> value)
    {
        ClientRequest put = new(this);
        put.Begin();
        put.BeginPut("/key"u8, value.Length);
        put.AppendBody(value);
        put.EndBody();
        Protocol.Record.TryReadHeader(put.Record, out RecordHeader header);
        store.Apply(header with { Position = new LogPosition(1, store.AppliedIndex + 1) }, put.Record);
    }

    private ClientRequest Add(ConnectionMemory? memory = null, IRequestOwner? owner = null)
    {
        ClientRequest request = new(owner ?? this, memory ?? ConnectionMemory.Unlimited);
        request.Begin();
        request.BeginGet("/key"u8);
        reads.Add(request);
        return request;
    }

    private void Follow(long term, ulong leader)
    {
        core.Step(new Message { Type = MessageType.Heartbeat, From = leader, To = 1, Term = term }, default);
        core.Ready.Messages.Clear();
    }

    /// <returns>Context of the request to the leader; 0 if there was none.</returns>
    private long Asked()
    {
        core.Ready.Messages.Clear();
        reads.Ask();
        return core.Ready.Messages.Count == 0 ? 0 : Assert.Single(core.Ready.Messages).Context;
    }

    private long AskedAfterRetry()
    {
        for (int tick = 1; tick < 15; tick++)
        {
            reads.Tick();
            Assert.Equal(0, Asked());
        }
        reads.Tick();
        return Asked();
    }

    private void Confirm(long context)
    {
        reads.Confirmed(new ReadState(context, 0));
        reads.Answer();
    }

    private sealed class OtherClient : IRequestOwner
    {
        public bool MarkForResume() => false;

        public void Resume()
        {
        }
    }
}
