using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node.Requests;

namespace RaftFast.Server.Tests.Node.Requests;

/// <summary>What becomes of a forwarded write whose answer comes late.</summary>
public sealed class ForwardedWritesTests : IRequestOwner
{
    private static readonly LogPosition Snapshot = new(6, 5000);

    private readonly Answers answers = new();
    private readonly ForwardedWrites forwarded;
    private readonly PendingWrites pending;

    public ForwardedWritesTests()
    {
        forwarded = new ForwardedWrites(answers, firstNumber: 7);
        pending = new PendingWrites(answers);
    }

    bool IRequestOwner.MarkForResume() => false;

    void IRequestOwner.Resume()
    {
    }

    [Theory]
    [InlineData(5, 101, 504)] // Another leader's entry may stand there: a snapshot covers it, and nobody can tell.
    [InlineData(6, 101, 504)]
    [InlineData(6, 5000, 204)]
    [InlineData(5, 5000, 503)]
    public void Below_a_snapshot_nobody_knows_whose_an_entry_was(long term, long index, int status)
    {
        RaftLog log = new(new TermRuns(Snapshot), new ConfigurationHistory(ClusterConfiguration.Bootstrap([new PeerAddress("127.0.0.1", 1)])), Snapshot.Index);
        ClientRequest write = new(this);
        write.Begin();
        write.BeginPut("/key"u8);
        write.EndBody();
        forwarded.AddFrame(2, [new WaitingWrite(write, 1000)]);
        forwarded.OnResponse(
            new Message { Type = MessageType.ForwardResponse, From = 2, Context = 7, Position = new LogPosition(term, index), Count = 1 }, pending, log);
        Assert.Equal(status, write.Status);
    }
}
