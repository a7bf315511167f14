using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node;

public sealed class LogClockTests : IDisposable
{
    private readonly KeyValueStore store = new();
    private readonly RaftCore core = new(
        1, new ConfigurationHistory(ClusterConfiguration.Bootstrap([new PeerAddress("127.0.0.1", 1)])),
        new RaftOptions(), default, new TermRuns(), new Random(1));
    private readonly LogClock clock;

    public LogClockTests() => clock = new LogClock(core, new StateMachine(store));

    public void Dispose() => store.Dispose();

    [Fact]
    public void Clock_starts_anew_from_an_entry_that_another_leader_timed()
    {
        clock.Advance(100_000);
        clock.TimedEntryApplied(term: 1);
        Assert.Equal(store.LogTime, clock.Now);
        clock.Advance(3);
        Assert.Equal(store.LogTime + 3, clock.Now);
    }

    [Fact]
    public void Clock_starts_anew_from_an_installed_state()
    {
        clock.Advance(100_000);
        clock.StateReplaced();
        Assert.Equal(store.LogTime, clock.Now);
    }

    [Fact]
    public void Leader_knows_the_time_once_an_entry_of_its_term_is_applied_and_then_runs_on()
    {
        while (!core.IsLeader)
            core.Tick();
        Assert.False(clock.IsCurrent);
        core.DurableTo(core.Log.Last);
        core.EndBatch();
        Assert.Equal(core.Log.Last.Index, core.Log.Committed);
        Assert.False(clock.IsCurrent);
        core.AppliedTo(core.Log.Committed);
        Assert.True(clock.IsCurrent);

        clock.Advance(100_000);
        clock.TimedEntryApplied(core.Term);
        Assert.Equal(100_000, clock.Now);
    }
}
