using System.Buffers;
using System.Text;
using RaftFast.Server.Api;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Api;

public sealed class WatchEventsTests
{
    private readonly ChangeHistory history = new(ChangeHistory.BytesMin);
    private readonly ArrayBufferWriter<byte> output = new();

    [Fact]
    public void Entry_is_one_event_with_all_its_changes_under_the_prefix()
    {
        WatchEvents events = Watch("/a", values: true);
        history.Add(ChangeKind.Put, 1, "/b"u8, "other"u8);
        history.Publish(1);
        Assert.Equal("", Read(events));
        history.Add(ChangeKind.Put, 2, "/a%20b"u8, "abc"u8);
        history.Add(ChangeKind.Put, 2, "/b"u8, "other"u8);
        history.Add(ChangeKind.Delete, 2, "/a\""u8, default);
        history.Add(ChangeKind.Expire, 3, "/a"u8, default);
        history.Add(ChangeKind.Put, 4, "/ab"u8, default);
        history.Publish(5);
        Assert.Equal(
            "id: 2\ndata: {\"index\":2,\"changes\":["
            + "{\"key\":\"/a%2520b\",\"type\":\"put\",\"tag\":\"2\",\"size\":3,\"value\":\"YWJj\"},"
            + "{\"key\":\"/a%22\",\"type\":\"delete\"}]}\n\n"
            + "id: 3\ndata: {\"index\":3,\"changes\":[{\"key\":\"/a\",\"type\":\"expiry\"}]}\n\n"
            + "id: 4\ndata: {\"index\":4,\"changes\":["
            + "{\"key\":\"/ab\",\"type\":\"put\",\"tag\":\"4\",\"size\":0,\"value\":\"\"}]}\n\n",
            Read(events));
        Assert.Equal(5, events.Index);
    }

    [Fact]
    public void Changes_up_to_the_known_entry_are_passed_over()
    {
        for (long index = 1; index <= 9; index++)
            history.Add(ChangeKind.Put, index, "/a"u8, default);
        history.Publish(9);
        WatchEvents events = new(history, new WatchRange([], 7, false), history.Read().Tail, 7);
        Assert.Equal(["8", "9"], Ids(Read(events)));
        // This member has applied less than the member that named the index.
        WatchEvents ahead = new(history, new WatchRange([], 11, false), history.Read().Head, 11);
        for (long index = 10; index <= 13; index++)
            history.Add(ChangeKind.Put, index, "/a"u8, default);
        history.Publish(13);
        Assert.Equal(["12", "13"], Ids(Read(ahead)));
    }

    [Fact]
    public void Large_value_is_written_in_pieces_and_whole()
    {
        byte[] value = new byte[1024 * 1024];
        new Random(1).NextBytes(value);
        WatchEvents events = Watch("", values: true);
        history.Add(ChangeKind.Put, 1, "/a"u8, value);
        history.Publish(1);
        Assert.Equal(WatchStatus.More, events.Write(output));
        Assert.InRange(output.WrittenCount, 1, 64 * 1024);
        Assert.Contains(Convert.ToBase64String(value), Read(events), StringComparison.Ordinal);
    }

    [Fact]
    public void Reader_that_lags_is_gone_and_one_within_an_event_is_torn()
    {
        WatchEvents slow = Watch("", values: true);
        WatchEvents within = Watch("", values: true);
        history.Add(ChangeKind.Put, 1, "/a"u8, new byte[100_000]);
        history.Publish(1);
        Assert.Equal(WatchStatus.More, within.Write(output));
        for (long index = 2; index < 100; index++)
            history.Add(ChangeKind.Put, index, "/a"u8, new byte[100_000]);
        history.Publish(99);
        Assert.Equal(WatchStatus.Gone, slow.Write(output));
        Assert.Equal(WatchStatus.Torn, within.Write(output));
    }

    [Fact]
    public void Replaced_state_ends_every_reader()
    {
        WatchEvents events = Watch("", values: false);
        history.Reset(50);
        Assert.Equal(WatchStatus.Gone, events.Write(output));
    }

    private WatchEvents Watch(string prefix, bool values)
    {
        HistoryExtent extent = history.Read();
        WatchRange range = new(Encoding.ASCII.GetBytes(prefix), null, values);
        return new WatchEvents(history, range, extent.Head, extent.Index);
    }

    private string Read(WatchEvents events)
    {
        while (events.Write(output) == WatchStatus.More)
        {
            // The writer has room for all.
        }
        string text = Encoding.UTF8.GetString(output.WrittenSpan);
        output.ResetWrittenCount();
        return text;
    }

    private static IEnumerable<string> Ids(string text) =>
        text.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal)).Select(line => line[4..]);
}
