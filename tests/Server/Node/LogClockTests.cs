using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node;

public sealed class LogClockTests : IDisposable
{
    private readonly KeyValueStore store = new();
    private readonly LogClock clock;

    public LogClockTests() => clock = new LogClock(new StateMachine(store));

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

    [Fact]
    public void Entry_with_an_earlier_time_does_not_set_the_clock_back()
    {
        Apply(time: 5000);
        clock.Advance(100);
        Apply(time: 5050);
        Assert.Equal(5100, clock.Now);
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
