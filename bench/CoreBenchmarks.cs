using BenchmarkDotNet.Attributes;
using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>A leader of three takes proposals, sends them, hears of its disk and of one follower's, and commits.</summary>
[MemoryDiagnoser]
public class CoreBenchmarks
{
    /// <summary>Fewer than an object has bytes: one allocated for a batch is seen.</summary>
    private const int Batch = 16;

    private RaftCore core = null!;

    [GlobalSetup]
    public void Setup()
    {
        ClusterConfiguration members = ClusterConfiguration.Bootstrap([new("127.0.0.1", 9021), new("127.0.0.1", 9022), new("127.0.0.1", 9023)]);
        core = new RaftCore(1, new ConfigurationHistory(members), new RaftOptions(), default, new TermRuns(), new Random(1));
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

    private void Answer(MessageType type, ulong from, long term) => core.Step(
        new Message { Type = type, From = from, To = 1, Term = term, Position = new LogPosition(0, core.Log.Last.Index) }, default);
}
