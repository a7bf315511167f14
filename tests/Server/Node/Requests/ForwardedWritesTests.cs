using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node.Requests;

namespace RaftFast.Server.Tests.Node.Requests;

/// <summary>A forwarded write whose answer from the leader comes late.</summary>
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
    [InlineData(5, 101, 504)] // A snapshot covers the index: its entry may be another leader's.
    [InlineData(6, 101, 504)]
    [InlineData(6, 5000, 204)]
    [InlineData(5, 5000, 503)]
    public void Outcome_is_unknown_when_a_snapshot_covers_the_entry(long term, long index, int status)
    {
        ConfigurationHistory configurations = new(ClusterConfiguration.Bootstrap([new PeerAddress("127.0.0.1", 1)]));
        RaftLog log = new(new TermRuns(Snapshot), configurations, Snapshot.Index);
        ClientRequest write = new(this);
        write.Begin();
        write.BeginPut("/key"u8, valueBytesMax: 0);
        write.EndBody();
        forwarded.AddFrame(2, [new WaitingWrite(write, 1000)]);
        Message response = new()
        {
            Type = MessageType.ForwardResponse,
            From = 2,
            Context = 7,
            Position = new LogPosition(term, index),
            Count = 1,
        };
        forwarded.OnResponse(response, pending, log);
        Assert.Equal(status, write.Status);
    }
}
