using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Snapshots;

/// <summary>A snapshot makes the log shorter, and doesn't change the node's keys and values.</summary>
public sealed class SnapshotTests
{
    private const int Keys = 50;
    private const int SegmentBytes = 16 << 20;

    /// <summary>
    /// Maximum size of the directory (ARCHITECTURE.md, "The life of a snapshot"). The three snapshots are negligible
    /// here. Some segments hold the log since the older snapshot: twice 8 MiB, with a part of a segment at both ends.
    /// One more holds entries that arrive while a snapshot is taken. The others are the next segment and four spare
    /// ones.
    /// </summary>
    private const long BytesMax = 10 * SegmentBytes;

    [Fact]
    public void A_node_that_overwrites_a_few_keys_for_ever_keeps_a_bounded_directory()
    {
        using Cluster cluster = Cluster.Start(1, "--snapshot-every", "8MiB");
        ClusterNode node = cluster.Nodes[0];
        byte[] value = new byte[64 << 10];
        long written = 0;
        using (HttpConnection connection = HttpConnection.Open(node.HttpPort))
        {
            for (int round = 0; written < 3 * BytesMax; round++)
            {
                value.AsSpan().Fill((byte)('a' + round % 26));
                for (int key = 0; key < 16; key++)
                    connection.Send("PUT", $"/{key}", value);
                for (int key = 0; key < 16; key++)
                    Assert.Equal(204, connection.Receive().Status);
                written += 16 * value.Length;
                long bytes = BytesOf(node.DataDirectory);
                Assert.True(bytes <= BytesMax, $"{bytes} bytes after {written} were written; {node}");
            }
        }
        node.Kill();
        node.Restart();
        node.WaitUntilReady();
        string last = Encoding.ASCII.GetString(value);
        for (int key = 0; key < 16; key++)
            Assert.Equal(last, node.TryExchange("GET", $"/{key}")?.Text);

        // If both snapshots are damaged, the entries that they cover are lost: the node refuses to start.
        node.Kill();
        DirectoryImage image = DirectoryImage.Of(node.DataDirectory);
        foreach (string name in SnapshotsOf(image))
            image = image.WithFlippedBit(name, 5000);
        image.Restore(node.DataDirectory);
        node.Restart();
        Assert.True(node.Process.WaitForExit() == 1, node.ToString());
        Assert.Contains("wal-", Complaint.Single(node.Process), StringComparison.Ordinal);
        Assert.Contains("there is no snapshot", Complaint.Single(node.Process), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)] // header
    [InlineData(70)] // configuration
    [InlineData(4100)] // header of a chunk
    [InlineData(4200)] // an entry
    public void A_damaged_snapshot_is_set_aside_for_the_one_before_it_and_the_log(int offset)
    {
        using Cluster cluster = Cluster.Start(1, "--snapshot-every", "20");
        ClusterNode node = cluster.Nodes[0];
        for (int i = 0; i < Keys; i++)
            Assert.Equal(204, node.TryExchange("PUT", $"/{i}", "value"u8)?.Status);
        Eventually.True(() => SnapshotsOf(node).Length == 2, () => $"two snapshots are taken; {node}");
        node.Kill();
        DirectoryImage image = DirectoryImage.Of(node.DataDirectory);
        string newest = SnapshotsOf(image)[^1];
        image.WithFlippedBit(newest, offset).Restore(node.DataDirectory);

        node.Restart();
        node.WaitUntilReady();
        for (int i = 0; i < Keys; i++)
            Assert.Equal("value", node.TryExchange("GET", $"/{i}")?.Text);
        Assert.Contains(
            node.Process.Lines, line => line.Contains($"{newest} is damaged at byte ", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(node.DataDirectory, newest + ".damaged")));
    }

    [Fact]
    public void A_disk_without_room_for_a_snapshot_costs_that_and_no_write()
    {
        using SmallDisk disk = new(72);
        using ClusterNode node = new(
            1, FreePorts.Take(), FreePorts.Take(), FreePorts.Take(), Path.Combine(disk.Location, "1"));
        node.Start(node.PeerUrl, "--snapshot-every", "4MiB");
        node.WaitUntilReady();
        byte[] value = new byte[512 << 10];
        List<int> acknowledged = [];
        for (int key = 0; key < 200 && !HadNoRoom(node); key++)
        {
            value.AsSpan().Fill((byte)('a' + key % 26));
            int? status = node.TryExchange("PUT", $"/{key}", value)?.Status;
            Assert.True(status is 204 or 507, $"{status}; {node}");
            if (status == 204)
                acknowledged.Add(key);
        }
        // A fast disk is full of log before the first snapshot is taken. The one after it has no room then.
        Eventually.True(() => HadNoRoom(node), node.ToString);
        AssertKept(node, acknowledged, value.Length);
        node.Kill();
        node.Restart();
        node.WaitUntilReady();
        AssertKept(node, acknowledged, value.Length);
    }

    private static bool HadNoRoom(ClusterNode node) =>
        node.Lines.Any(line => line.Contains("the disk has no room for the snapshot", StringComparison.Ordinal));

    private static void AssertKept(ClusterNode node, List<int> keys, int length)
    {
        foreach (int key in keys)
            Assert.Equal(new string((char)('a' + key % 26), length), node.TryExchange("GET", $"/{key}")?.Text);
    }

    private static string[] SnapshotsOf(ClusterNode node) =>
        [.. Directory.EnumerateFiles(node.DataDirectory, "snapshot-*.snap").Select(path => Path.GetFileName(path)!)];

    private static string[] SnapshotsOf(DirectoryImage image) =>
        [.. image.Names.Where(name => name.EndsWith(".snap", StringComparison.Ordinal))];

    /// <summary>Returns the size of all files. A file may be deleted while the files are counted.</summary>
    private static long BytesOf(string directory)
    {
        long bytes = 0;
        foreach (FileInfo file in new DirectoryInfo(directory).EnumerateFiles())
        {
            try
            {
                bytes += file.Length;
            }
            catch (FileNotFoundException)
            {
                continue;
            }
        }
        return bytes;
    }
}
