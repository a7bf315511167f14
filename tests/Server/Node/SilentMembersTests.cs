using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

/// <summary>Member 1 of three leads. Member 3 answers. Member 2 answers in some tests only.</summary>
public sealed class SilentMembersTests : ILogger, IPeerNetwork
{
    private readonly List<string> written = [];
    private readonly RaftCore core = NewCore();
    private readonly SilentMembers silent;
    private bool isConnected = true;

    public SilentMembersTests()
    {
        silent = new SilentMembers(core, this, this);
        while (core.Role != RoleName.PreCandidate)
            core.Tick();
        Answer(MessageType.PreVoteResponse, 3);
        Answer(MessageType.VoteResponse, 3);
        Assert.True(core.IsLeader);
    }

    [Fact]
    public void Member_that_is_connected_and_silent_is_reported_once_until_it_answers()
    {
        Tick(3000, answers: [3]);
        string line = Assert.Single(written);
        Assert.StartsWith("Warning: member 2 is connected, and has answered nothing for 5 s", line, default);
        Tick(200, answers: [2, 3]);
        Tick(3000, answers: [3]);
        Assert.Equal([line, line], written);
    }

    [Fact]
    public void Member_that_is_not_connected_is_not_reported()
    {
        isConnected = false;
        Tick(3000, answers: [3]);
        Assert.Empty(written);
    }

    [Fact]
    public void Members_that_answer_are_not_reported()
    {
        Tick(3000, answers: [2, 3]);
        Assert.Empty(written);
    }

    bool IPeerNetwork.CanSend(ulong peer) => isConnected;

    bool IPeerNetwork.Send(in Message message, ReadOnlySpan<byte> records) => true;

    bool IPeerNetwork.Begin(in Message message, int recordsLength) => true;

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

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        written.Add($"{logLevel}: {formatter(state, exception)}");

    private static RaftCore NewCore()
    {
        Member[] members =
        [
            new Member(1, new PeerAddress("127.0.0.1", 1)),
            new Member(2, new PeerAddress("127.0.0.1", 2)),
            new Member(3, new PeerAddress("127.0.0.1", 3)),
        ];
        ConfigurationHistory configurations = new(new ClusterConfiguration(1, members));
        return new RaftCore(1, configurations, new RaftOptions(), default, new TermRuns(), new Random(1));
    }

    private void Tick(int count, ReadOnlySpan<ulong> answers)
    {
        for (int i = 0; i < count; i++)
        {
            core.Tick();
            foreach (ulong from in answers)
                Answer(MessageType.HeartbeatResponse, from);
            silent.OnTick();
        }
    }

    private void Answer(MessageType type, ulong from)
    {
        core.Step(new Message { Type = type, From = from, To = 1, Term = 1 }, default);
        core.Ready.Messages.Clear();
    }
}
