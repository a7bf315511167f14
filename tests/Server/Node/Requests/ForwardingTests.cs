using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Requests;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node.Requests;

/// <summary>Member 1 follows member 2, and forwards requests only while it hears member 2.</summary>
public sealed class ForwardingTests : IPeerNetwork, IRequestOwner, IDisposable
{
    private static readonly ClusterConfiguration Three = ClusterConfiguration.Bootstrap(
        [new PeerAddress("127.0.0.1", 1), new PeerAddress("127.0.0.1", 2), new PeerAddress("127.0.0.1", 3)]);

    private readonly RaftCore core = new(
        1, new ConfigurationHistory(Three), new RaftOptions(), default, new TermRuns(), new Random(1));
    private readonly KeyValueStore store = new();
    private readonly HeardPeers heard = new();
    private readonly Answers answers = new();
    private readonly List<Message> sent = [];
    private readonly PendingWrites pending;
    private readonly ForwardedWrites forwarded;
    private readonly WriteRouter writes;
    private readonly MembershipRouter changes;

    public ForwardingTests()
    {
        StateBound bound = new(new StateMachine(store), long.MaxValue);
        pending = new PendingWrites(answers);
        forwarded = new ForwardedWrites(answers, firstNumber: 7);
        // A follower without requests with conditions uses neither log, gate nor executor.
        writes = new WriteRouter(core, null!, bound, null!, null!, this, heard, pending, forwarded, answers);
        changes = new MembershipRouter(core, null!, null!, this, heard, pending, answers, firstNumber: 7);
        core.Step(new Message { Type = MessageType.Heartbeat, From = 2, To = 1, Term = 1 }, default);
        core.Ready.Messages.Clear();
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void Write_waits_until_the_leader_is_heard_and_leaves_once()
    {
        ClientRequest write = AddWrite();
        Route();
        heard.Add(3);
        Route();
        Assert.Empty(sent);
        heard.Add(2);
        Route();
        Route();
        Assert.Equal(MessageType.Forward, Assert.Single(sent).Type);
        Assert.False(write.IsFinished);
    }

    [Fact]
    public void Writes_that_come_in_rounds_leave_together_once_none_comes()
    {
        heard.Add(2);
        AddWrite();
        writes.Route(mayHold: true);
        Assert.True(writes.HoldsForMore);
        AddWrite();
        writes.Route(mayHold: true);
        Assert.Empty(sent);
        writes.Route(mayHold: false);
        Assert.False(writes.HoldsForMore);
        Assert.Equal(2, Assert.Single(sent).Count);
        writes.Route(mayHold: true);
        Assert.False(writes.HoldsForMore);
    }

    [Fact]
    public void Write_that_was_never_sent_is_answered_503_when_its_time_is_up()
    {
        ClientRequest write = AddWrite();
        Route();
        writes.Expire(1000);
        Assert.Equal(503, write.Status);
    }

    [Fact]
    public void Write_that_was_sent_has_an_unknown_outcome_once_the_answer_may_be_lost()
    {
        heard.Add(2);
        ClientRequest write = AddWrite();
        Route();
        Message answer = new() { Type = MessageType.ForwardResponse, From = 2, Context = sent[0].Context };
        Assert.True(forwarded.Awaits(answer));
        forwarded.PeerLost(3);
        Assert.False(write.IsFinished);
        forwarded.PeerLost(2);
        Assert.Equal(504, write.Status);
        Assert.False(forwarded.Awaits(answer));
    }

    [Fact]
    public void Membership_change_waits_for_the_leader_too_and_its_answer_may_be_lost_too()
    {
        ClientRequest change = AddChange();
        Route();
        Assert.Empty(sent);
        heard.Add(2);
        Route();
        Route();
        Message asked = Assert.Single(sent);
        Assert.Equal(MessageType.ChangeMembers, asked.Type);
        Message answer = new() { Type = MessageType.ChangeMembersResponse, From = 2, Context = asked.Context };
        Assert.True(changes.Awaits(answer));
        changes.PeerLost(2);
        Assert.Equal(504, change.Status);
        Assert.False(changes.Awaits(answer));
    }

    bool IRequestOwner.MarkForResume() => false;

    void IRequestOwner.Resume()
    {
    }

    bool IPeerNetwork.CanSend(ulong peer) => true;

    bool IPeerNetwork.Send(in Message message, ReadOnlySpan<byte> records)
    {
        sent.Add(message);
        return true;
    }

    bool IPeerNetwork.Begin(in Message message, int recordsLength)
    {
        sent.Add(message);
        return true;
    }

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

    private void Route()
    {
        changes.Route(now: 0);
        writes.Route();
    }

    private ClientRequest AddWrite()
    {
        ClientRequest write = new(this);
        write.Begin();
        write.BeginPut("/key"u8, valueBytesMax: 0);
        write.EndBody();
        writes.Add(new WaitingWrite(write, Deadline: 1000));
        return write;
    }

    private ClientRequest AddChange()
    {
        ClientRequest change = new(this);
        change.Begin();
        change.BeginMember(ClientRequestMethod.AddMember, 4);
        change.AppendBody("http://127.0.0.1:4"u8);
        changes.Add(change, deadline: 1000);
        return change;
    }
}
