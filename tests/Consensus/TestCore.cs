using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>Server 1 of a cluster, alone: the test plays the others.</summary>
internal sealed class TestCore
{
    /// <summary>Ticks that are surely an election timeout, and surely not two.</summary>
    public const int ElectionTicks = TestCluster.ElectionTicks;

    public TestCore(int size = 3, long term = 0, ulong vote = 0, RaftOptions? options = null, params long[] log)
        : this(Configurations.Cluster([.. Enumerable.Range(1, size).Select(id => (ulong)id)]), term, vote, options, log)
    {
    }

    public TestCore(ClusterConfiguration configuration, long term = 0, ulong vote = 0, RaftOptions? options = null, params long[] log)
    {
        TermRuns runs = new();
        foreach (long entry in log)
            runs.Append(new(entry, runs.LastIndex + 1));
        Core = new RaftCore(
            1, new ConfigurationHistory(configuration), options ?? TestCluster.Options, new HardState(term, vote), runs, new FixedRandom { Value = 0 });
    }

    public RaftCore Core { get; }

    public RaftLog Log => Core.Log;

    /// <summary>A leader of <paramref name="term"/>, by election; its log is durable, and its last entry opens the term.</summary>
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

    /// <summary>A leader of term 1 whose first entry is committed: it may change the configuration. Its voters are 1 to n.</summary>
    public static TestCore Leader(ClusterConfiguration configuration)
    {
        TestCore core = new(configuration);
        core.Campaign();
        ulong[] others = [.. configuration.Members.Where(member => member.IsVoter && member.Id != 1).Select(member => member.Id)];
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

    /// <summary>Appends a configuration, which this server's disk then holds.</summary>
    public void Propose(ClusterConfiguration next)
    {
        Core.ProposeConfiguration(next, 100);
        Core.DurableTo(Log.Last);
    }

    /// <summary>What it has sent since it was last asked.</summary>
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
            new Message { Type = MessageType.Append, From = from, To = 1, Term = term, Position = previous, Commit = commit, Count = terms.Length },
            entries);
    }

    /// <summary>An append of one entry, a configuration.</summary>
    public EntryRange Append(ulong from, long term, LogPosition previous, ClusterConfiguration configuration, long commit = 0)
    {
        Entry entry = Entry.Of(configuration, new(term, previous.Index + 1));
        return Core.Step(
            new Message { Type = MessageType.Append, From = from, To = 1, Term = term, Position = previous, Commit = commit, Count = 1 },
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
        Core.Step(new Message { Type = MessageType.AppendResponse, From = from, To = 1, Term = Core.Term, Position = new(0, index) }, []);

    public void Reject(ulong from, long rejected, LogPosition hint) => Core.Step(
        new Message { Type = MessageType.AppendResponse, From = from, To = 1, Term = Core.Term, Rejected = true, Context = rejected, Position = hint },
        []);

    public void AnswerHeartbeat(ulong from, long round = 0) =>
        Core.Step(new Message { Type = MessageType.HeartbeatResponse, From = from, To = 1, Term = Core.Term, Context = round }, []);

    public void Tick(int count)
    {
        for (int i = 0; i < count; i++)
            Core.Tick();
    }

    /// <summary>Waits out the election timeout, and wins the pre-vote: a candidate of the next term.</summary>
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
}
