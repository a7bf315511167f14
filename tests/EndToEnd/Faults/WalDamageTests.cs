using System.Globalization;
using System.Text.RegularExpressions;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Protocol;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>An incomplete last write is cut off; damage before the last write makes the node refuse to start.</summary>
public sealed class WalDamageTests : IDisposable
{
    private const int Keys = 12;

    private readonly Cluster cluster = Cluster.Start(1);
    private readonly ClusterNode node;
    private readonly DirectoryImage image;
    private readonly List<WalRecordPlace> commands;

    public WalDamageTests()
    {
        try
        {
            node = cluster.Nodes[0];
            for (int i = 0; i < Keys; i++)
                Assert.Equal(204, node.TryExchange("PUT", $"/key/{i}", "value"u8)?.Status);
            node.Kill();
            image = DirectoryImage.Of(node.DataDirectory);
            List<WalRecordPlace> records = WalRecordPlace.FindAll(image);
            commands = [.. records.Where(place => place.Header.Type == RecordType.Command)];
            Assert.Equal(Keys, commands.Count);
            Assert.Equal(records[^1], commands[^1]);
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    [Fact]
    public void Truncating_the_last_record_at_every_byte_recovers()
    {
        WalRecordPlace last = commands[^1];
        for (int length = last.Offset; length < last.End; length++)
        {
            image.TruncatedAt(last.File, length).Restore(node.DataDirectory);
            AssertRecovers(lastIsLost: length < last.PayloadEnd, $"truncated at {length} of {last}");
        }
    }

    [Fact]
    public void Zeros_in_place_of_the_last_record_s_end_recover()
    {
        WalRecordPlace last = commands[^1];
        for (int offset = last.Offset; offset < last.PayloadEnd; offset += 5)
        {
            image.ZeroedFrom(last.File, offset).Restore(node.DataDirectory);
            AssertRecovers(lastIsLost: true, $"zeroed from {offset} of {last}");
        }
    }

    [Fact]
    public void A_flipped_bit_before_later_writes_is_refused_with_file_and_offset()
    {
        WalRecordPlace middle = commands[Keys / 2];
        for (int offset = middle.Offset; offset < middle.PayloadEnd; offset += 9)
            AssertRefused(image, middle, offset);
    }

    /// <summary>A closed log ends with a seal, which proves that every write before the seal was complete.</summary>
    [Fact]
    public void A_flipped_bit_in_the_last_record_is_refused_after_a_clean_stop()
    {
        node.Restart();
        node.WaitUntilReady();
        Assert.Equal(204, node.TryExchange("PUT", "/last", "value"u8)?.Status);
        node.Process.Terminate();
        Assert.Equal(0, node.Process.WaitForExit());
        DirectoryImage closed = DirectoryImage.Of(node.DataDirectory);
        WalRecordPlace last = WalRecordPlace.FindAll(closed)[^1];
        Assert.Equal(RecordType.Command, last.Header.Type);
        for (int offset = last.Offset; offset < last.PayloadEnd; offset += 9)
            AssertRefused(closed, last, offset);
    }

    public void Dispose() => cluster.Dispose();

    private void AssertRefused(DirectoryImage whole, WalRecordPlace record, int offset)
    {
        DirectoryImage damaged = whole.WithFlippedBit(record.File, offset);
        damaged.Restore(node.DataDirectory);
        node.Restart();
        Assert.True(node.Process.WaitForExit() == 1, $"bit flipped at {offset}: {node}");
        string line = Complaint.Single(node.Process);
        Assert.Contains(record.File, line, StringComparison.Ordinal);
        string rest = line.Replace(record.File, "", StringComparison.Ordinal);
        IEnumerable<long> numbers = Regex.Matches(rest, @"\b\d+\b").Select(
            match => long.Parse(match.Value, CultureInfo.InvariantCulture));
        Assert.True(
            numbers.Any(number => number > record.Offset - 4096 && number <= offset),
            $"an offset at or before {offset}, in its batch: {line}");
        Assert.True(damaged.IsSameAs(DirectoryImage.Of(node.DataDirectory)), $"nothing is overwritten: {node}");
    }

    private void AssertRecovers(bool lastIsLost, string how)
    {
        node.Restart();
        node.WaitUntilReady();
        for (int i = 0; i < Keys - 1; i++)
            Assert.True(
                node.TryExchange("GET", $"/key/{i}") is { Status: 200, Text: "value" }, $"{how}, key {i}: {node}");
        int? status = node.TryExchange("GET", $"/key/{Keys - 1}")?.Status;
        Assert.True(status == 404 || !lastIsLost && status == 200, $"{how}, last key: {status} {node}");
        Assert.True(node.TryExchange("PUT", "/again", "value"u8)?.Status == 204, $"{how}: {node}");
        node.Kill();
    }
}
