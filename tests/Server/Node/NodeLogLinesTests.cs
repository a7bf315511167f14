using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

/// <summary>Log lines about the leader, written by member 1 of three voters. Member 4 is a learner.</summary>
public sealed class NodeLogLinesTests : ILogger
{
    private const int TicksPerBatch = 5;

    private readonly List<string> written = [];

    private RaftCore core = NewCore(id: 1);
    private NodeLogLines lines;

    public NodeLogLinesTests() => lines = new NodeLogLines(core, this);

    [Fact]
    public void Warns_once_while_there_is_no_leader_and_says_when_there_is_one()
    {
        Hear(leader: 2, term: 1);
        Assert.Equal(["Information: follows member 2 in term 1"], Take());
        Tick(400);
        string warning = Assert.Single(Take());
        Assert.StartsWith("Warning: there is no leader: ", warning, StringComparison.Ordinal);
        Assert.Contains("503 after --request-timeout", warning, StringComparison.Ordinal);
        Hear(leader: 3, term: 2);
        Assert.Equal(
            [
                "Information: follows member 3 in term 2",
                "Information: there is a leader now, member 3: reads and writes are served",
            ],
            Take());
        Tick(400);
        Assert.Equal(warning, Assert.Single(Take()));
    }

    [Fact]
    public void Warns_after_a_start_without_a_leader()
    {
        Tick(400);
        Assert.StartsWith("Warning: there is no leader: ", Assert.Single(Take()), StringComparison.Ordinal);
    }

    [Fact]
    public void Does_not_warn_of_an_election_that_succeeds_at_once()
    {
        Hear(leader: 2, term: 1);
        while (core.LeaderId != 0)
            Tick(1);
        Tick(NodeLogLines.TicksToWarning / 2);
        Hear(leader: 3, term: 2);
        Tick(5);
        Assert.Equal(["Information: follows member 2 in term 1", "Information: follows member 3 in term 2"], Take());
    }

    [Fact]
    public void Learner_warns_although_it_never_campaigns()
    {
        core = NewCore(id: 4);
        lines = new NodeLogLines(core, this);
        Hear(leader: 2, term: 1);
        Take();
        Tick(400);
        Assert.StartsWith("Warning: there is no leader: ", Assert.Single(Take()), StringComparison.Ordinal);
    }

    [Fact]
    public void Removed_member_needs_no_leader()
    {
        lines.Removed();
        Take();
        Tick(400);
        Assert.Empty(Take());
    }

    /// <summary>
    /// Voter 2 answers nothing. Voter 3 acknowledges one entry, and its connection then breaks again and again. Learner
    /// 4 has the whole log.
    /// </summary>
    [Fact]
    public void Leader_says_once_that_a_promotion_waits()
    {
        core.Tick();
        while (core.Role != RoleName.PreCandidate)
            core.Tick();
        Answer(MessageType.PreVoteResponse, 3, term: 1);
        Answer(MessageType.VoteResponse, 3, term: 1);
        core.DurableTo(core.Log.Last);
        Answer(MessageType.AppendResponse, 3, term: 1, index: 1);
        for (int i = 0; i < 300; i++)
        {
            core.Tick();
            Answer(MessageType.HeartbeatResponse, 3, term: 1);
            Answer(MessageType.AppendResponse, 4, term: 1, index: 1);
            core.MessagesMayBeLost(3);
            Assert.Null(core.NextConfiguration());
            core.Ready.Messages.Clear();
            lines.EndBatch(isStateFull: false);
        }
        Assert.True(core.IsLeader);
        Assert.Equal(
            [
                "Information: became leader in term 1",
                "Warning: member 4 has caught up, but becomes a voter only once a majority of the voters writes: "
                + "2 do not, the first is member 2; start that member again, or remove it with DELETE",
            ],
            Take());
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        written.Add($"{logLevel}: {formatter(state, exception)}");

    private static RaftCore NewCore(ulong id)
    {
        Member[] members =
        [
            new Member(1, new PeerAddress("127.0.0.1", 1)),
            new Member(2, new PeerAddress("127.0.0.1", 2)),
            new Member(3, new PeerAddress("127.0.0.1", 3)),
            new Member(4, new PeerAddress("127.0.0.1", 4), MemberRole.Learner),
        ];
        ConfigurationHistory configurations = new(new ClusterConfiguration(1, members));
        return new RaftCore(id, configurations, new RaftOptions(), default, new TermRuns(), new Random(1));
    }

    [Fact]
    public void Tells_once_that_the_state_is_full_and_once_that_it_has_room()
    {
        lines.EndBatch(isStateFull: true);
        lines.EndBatch(isStateFull: true);
        Assert.StartsWith(
            "Warning: the keys and values have reached --state-max", Assert.Single(Take()), StringComparison.Ordinal);
        lines.EndBatch(isStateFull: false);
        Assert.Equal(["Information: the keys and values are below --state-max again"], Take());
    }

    [Fact]
    public void Tells_once_that_the_disk_hangs_and_once_that_it_answers()
    {
        core.LogWriteBegun();
        for (int i = 0; i < new RaftOptions().OverdueWriteTicks + 10; i++)
        {
            core.Tick();
            lines.EndBatch(isStateFull: false);
        }
        Assert.StartsWith("Warning: the disk does not answer: ", Assert.Single(Take()), StringComparison.Ordinal);
        core.LogWriteEnded(isNextOut: false);
        lines.EndBatch(isStateFull: false);
        lines.EndBatch(isStateFull: false);
        Assert.Equal(["Information: the disk answers again: the write of the log has returned"], Take());
    }

    private void Tick(int count)
    {
        for (int i = 1; i <= count; i++)
        {
            core.Tick();
            core.Ready.Messages.Clear();
            lines.OnTick();
            if (i % TicksPerBatch == 0 || i == count)
                lines.EndBatch(isStateFull: false);
        }
    }

    private void Hear(ulong leader, long term)
    {
        core.Step(new Message { Type = MessageType.Heartbeat, From = leader, To = core.Id, Term = term }, default);
        core.Ready.Messages.Clear();
        lines.EndBatch(isStateFull: false);
    }

    private void Answer(MessageType type, ulong from, long term, long index = 0)
    {
        Message answer = new()
        {
            Type = type,
            From = from,
            To = core.Id,
            Term = term,
            Position = new LogPosition(0, index),
        };
        core.Step(answer, default);
        core.Ready.Messages.Clear();
    }

    private string[] Take()
    {
        string[] taken = [.. written];
        written.Clear();
        return taken;
    }
}
