using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>The core of server 1 alone. The test plays the other servers.</summary>
internal sealed class TestCore
{
    /// <summary>Ticks of at least one election timeout and less than two.</summary>
    public const int ElectionTicks = TestCluster.ElectionTicks;

    public TestCore(int size = 3, long term = 0, ulong vote = 0, RaftOptions? options = null, params long[] log)
        : this(Configurations.Cluster([.. Enumerable.Range(1, size).Select(id => (ulong)id)]), term, vote, options, log)
    {
    }

    public TestCore(
        ClusterConfiguration configuration, long term = 0, ulong vote = 0, RaftOptions? options = null,
        params long[] log)
    {
        TermRuns runs = new();
        foreach (long entry in log)
            runs.Append(new(entry, runs.LastIndex + 1));
        Core = new RaftCore(
            1, new ConfigurationHistory(configuration), options ?? TestCluster.Options, new HardState(term, vote), runs,
            new FixedRandom { Value = 0 });
    }

    public RaftCore Core { get; }

    public RaftLog Log => Core.Log;

    /// <summary>
    /// Makes an elected leader of <paramref name="term"/>. The leader's log is durable and ends with the entry that
    /// opens the term.
    /// </summary>
    public static TestCore Leader(long term, int size = 3, RaftOptions? options = null, params long[] log)
    {
        TestCore core = new(size, term - 1, 0, options, log);
        core.Campaign();
        for (ulong peer = 2; (int)peer <= size && !core.Core.IsLeader; peer++)
            core.Receive(new Message { Type = MessageType.VoteResponse, From = peer, Term = term });
        Assert.True(core.Core.IsLeader);
        core.Sent();
        core.Core.DurableTo(core.Log.Last);
        return core;
    }

    /// <summary>
    /// Makes a leader of term 1 whose first entry is committed, so that it may change the configuration.
    /// </summary>
    public static TestCore Leader(ClusterConfiguration configuration)
    {
        TestCore core = new(configuration);
        core.Campaign();
        IEnumerable<Member> voters = configuration.Members.Where(member => member.IsVoter);
        ulong[] others = [.. voters.Select(member => member.Id).Where(id => id != 1)];
        foreach (ulong peer in others)
            core.Receive(new Message { Type = MessageType.VoteResponse, From = peer, Term = 1 });
        Assert.True(core.Core.IsLeader);
        core.Core.DurableTo(core.Log.Last);
        foreach (ulong peer in others)
            core.Acknowledge(peer, 1);
        Assert.True(core.Core.MayChangeConfiguration);
        core.Sent();
        return core;
    }

    /// <summary>Proposes a configuration and makes it durable.</summary>
    public void Propose(ClusterConfiguration next)
    {
        Core.ProposeConfiguration(next, 100);
        Core.DurableTo(Log.Last);
    }

    /// <summary>Returns the messages sent since the last call.</summary>
    public Message[] Sent()
    {
        Core.EndBatch();
        Message[] messages = [.. Core.Ready.Messages];
        Core.Ready.Messages.Clear();
        return messages;
    }

    public Message Receive(Message message)
    {
        Core.Step(message with { To = 1 }, []);
        Message[] sent = Sent();
        return sent.Length == 1 ? sent[0] : default;
    }

    public EntryRange Append(ulong from, long term, LogPosition previous, long[] terms, long commit = 0)
    {
        RecordHeader[] entries = new RecordHeader[terms.Length];
        for (int i = 0; i < terms.Length; i++)
            entries[i] = new(RecordType.Command, new(terms[i], previous.Index + 1 + i), 0, 0);
        return Core.Step(
            new Message
            {
                Type = MessageType.Append,
                From = from,
                To = 1,
                Term = term,
                Position = previous,
                Commit = commit,
                Count = terms.Length,
            },
            entries);
    }

    /// <summary>Steps an append of one entry, a configuration.</summary>
    public EntryRange Append(
        ulong from, long term, LogPosition previous, ClusterConfiguration configuration, long commit = 0)
    {
        Entry entry = Entry.Of(configuration, new(term, previous.Index + 1));
        return Core.Step(
            new Message
            {
                Type = MessageType.Append,
                From = from,
                To = 1,
                Term = term,
                Position = previous,
                Commit = commit,
                Count = 1,
            },
            [entry.Header],
            [configuration]);
    }

    public void Heartbeat(ulong from, long term, long commit = 0) =>
        Receive(new Message { Type = MessageType.Heartbeat, From = from, Term = term, Commit = commit });

    public Message AskedToVote(ulong from, long term, LogPosition last) =>
        Receive(new Message { Type = MessageType.Vote, From = from, Term = term, Position = last });

    public Message AskedToPreVote(ulong from, long term, LogPosition last) =>
        Receive(new Message { Type = MessageType.PreVote, From = from, Term = term, Position = last });

    public void Acknowledge(ulong from, long index) =>
        Answer(new Message { Type = MessageType.AppendResponse, From = from, Position = new(0, index) });

    public void Reject(ulong from, long rejected, LogPosition hint) => Answer(new Message
    {
        Type = MessageType.AppendResponse,
        From = from,
        Rejected = true,
        Context = rejected,
        Position = hint,
    });

    public void AnswerHeartbeat(ulong from, long round = 0) =>
        Answer(new Message { Type = MessageType.HeartbeatResponse, From = from, Context = round });

    public void Tick(int count)
    {
        for (int i = 0; i < count; i++)
            Core.Tick();
    }

    /// <summary>
    /// Makes the server a candidate of the next term: its election timeout passes, and it wins the pre-vote.
    /// </summary>
    public void Campaign()
    {
        Tick(ElectionTicks);
        for (ulong peer = 2; Core.Role == RoleName.PreCandidate; peer++)
            Receive(new Message { Type = MessageType.PreVoteResponse, From = peer, Term = Core.Term + 1 });
        Assert.NotEqual(RoleName.Follower, Core.Role);
    }

    public bool TrySend(ulong peer, out Message append, int count = 1, int bytes = 40)
    {
        if (!Core.TryNextAppend(peer, out append))
            return false;
        Core.AppendSent(peer, (int)Math.Min(count, Log.Last.Index - append.Position.Index), bytes);
        return true;
    }

    private void Answer(Message message) => Core.Step(message with { To = 1, Term = Core.Term }, []);
}
