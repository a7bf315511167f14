using BenchmarkDotNet.Attributes;
using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>
/// Measures the core of the leader of three servers on a batch of proposals: it proposes, sends, takes acknowledgements
/// of its own disk and of the followers, and commits.
/// </summary>
[MemoryDiagnoser]
public class CoreBenchmarks
{
    /// <summary>
    /// Operations in a batch. The smallest object has 24 bytes, so one object allocated in a batch does not round to 0.
    /// </summary>
    private const int Batch = 16;

    private RaftCore core = null!;

    [GlobalSetup]
    public void Setup()
    {
        PeerAddress[] addresses = [new("127.0.0.1", 9021), new("127.0.0.1", 9022), new("127.0.0.1", 9023)];
        ConfigurationHistory members = new(ClusterConfiguration.Bootstrap(addresses));
        core = new RaftCore(1, members, new RaftOptions(), default, new TermRuns(), new Random(1));
        while (core.Role == RoleName.Follower)
            core.Tick();
        Answer(MessageType.PreVoteResponse, 2, core.Term + 1);
        Answer(MessageType.VoteResponse, 2, core.Term);
        ProposeAndCommit();
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public long ProposeAndCommit()
    {
        for (int i = 0; i < Batch; i++)
            core.Propose(128);
        for (ulong peer = 2; peer <= 3; peer++)
        {
            while (core.TryNextAppend(peer, out Message append))
            {
                int count = (int)(core.Log.Last.Index - append.Position.Index);
                core.AppendSent(peer, count, count * 128);
            }
            Answer(MessageType.AppendResponse, peer, core.Term);
        }
        core.DurableTo(core.Log.Last);
        core.EndBatch();
        core.AppliedTo(core.Log.Committed);
        core.Ready.Messages.Clear();
        return core.Log.Committed;
    }

    private void Answer(MessageType type, ulong from, long term)
    {
        LogPosition position = new(0, core.Log.Last.Index);
        core.Step(new Message { Type = type, From = from, To = 1, Term = term, Position = position }, default);
    }
}
