using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node;

public sealed class LogClockTests : IDisposable
{
    private readonly KeyValueStore store = new();
    private readonly LogClock clock;

    public LogClockTests()
    {
        ClusterConfiguration three = ClusterConfiguration.Bootstrap(
            [new PeerAddress("127.0.0.1", 1), new PeerAddress("127.0.0.1", 2), new PeerAddress("127.0.0.1", 3)]);
        RaftCore core = new(
            1, new ConfigurationHistory(three), new RaftOptions(), default, new TermRuns(), new Random(1));
        clock = new LogClock(core, new StateMachine(store));
    }

    public void Dispose() => store.Dispose();

    [Fact]
    public void Clock_continues_from_the_time_of_the_state()
    {
        clock.Advance(100);
        Assert.Equal(100, clock.Now);
        Apply(time: 5000);
        Assert.Equal(5000, clock.Now);
        clock.Advance(100);
        Assert.Equal(5100, clock.Now);
    }

    /// <summary>Otherwise a clock that was ahead of the other leader's would let that leader's keys expire early.</summary>
    [Fact]
    public void Member_measures_anew_from_an_entry_that_another_leader_timed()
    {
        clock.Advance(9000);
        Apply(time: 5000);
        clock.TimedEntryApplied(term: 1);
        Assert.Equal(5000, clock.Now);
        Apply(time: 4000);
        clock.TimedEntryApplied(term: 1);
        Assert.Equal(5000, clock.Now);
        Assert.False(clock.IsCurrent);
    }

    private void Apply(long time)
    {
        byte[] record = new byte[Protocol.Record.LengthOf(KeyCommand.HeaderSize)];
        KeyCommand.WriteHead(
            record.AsSpan(Protocol.Record.HeaderSize), CommandOperation.Forget, default, default, default, 0, time);
        Protocol.Record.Finish(record, RecordType.Command, KeyCommand.HeaderSize);
        Protocol.Record.Stamp(record, new LogPosition(1, store.AppliedIndex + 1));
        Protocol.Record.TryReadHeader(record, out RecordHeader header);
        store.Apply(header, record);
    }
}
