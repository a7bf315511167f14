using System.Buffers.Binary;
using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Protocol;

namespace RaftFast.EndToEnd.Tests.Commands;

/// <summary>The commands backup, restore and inspect, with the real binary.</summary>
public sealed class BackupTests : IDisposable
{
    private const int Keys = 60;

    private readonly TemporaryDirectory directory = new();

    [Fact]
    public void Three_members_restored_from_one_backup_are_a_cluster_with_every_key()
    {
        using Cluster old = Cluster.Start(3, "--snapshot-every", "25");
        Fill(old.Nodes[0]);
        old.KillAll();
        string backup = directory.PathOf("backup");
        ClusterNode newest = old.Nodes.MaxBy(node =>
            (Inspected(node, "log-last-term"), Inspected(node, "log-last-index")))!;
        string line = Succeeds("backup", "--data-dir", newest.DataDirectory, "--output", backup);
        Assert.StartsWith(
            $"{backup}: {Keys} keys, {new FileInfo(backup).Length} bytes, up to entry ", line,
            StringComparison.Ordinal);

        using Cluster restored = Cluster.Prepare(3);
        foreach (ClusterNode node in restored.Nodes)
            Restore(restored, node, backup);
        foreach (ClusterNode node in restored.Nodes)
            node.Start(restored.Urls);
        restored.WaitUntilReady();
        foreach (ClusterNode node in restored.Nodes)
            AssertHasAll(node);
        Assert.Equal(204, restored.Nodes[1].TryExchange("PUT", "/new", "value"u8)?.Status);
        restored.KillAll();
        foreach (ClusterNode node in restored.Nodes)
            node.Restart();
        restored.WaitUntilReady();
        Assert.Equal("value", restored.Nodes[2].TryExchange("GET", "/new")?.Text);
        Assert.Equal("value 0", restored.Nodes[0].TryExchange("GET", "/0")?.Text);
    }

    /// <summary>
    /// The log of a restored member begins 2^32 entries after the backup. Recovery, compaction, a new member and a
    /// second restore continue from there.
    /// </summary>
    [Fact]
    public void No_index_of_the_old_log_comes_again()
    {
        const long skipped = 1L << 32;
        using Cluster old = Filled();
        long last = Inspected(old.Nodes[0], "log-last-index");
        string backup = directory.PathOf("backup");
        Succeeds("backup", "--data-dir", old.Nodes[0].DataDirectory, "--output", backup);

        using Cluster restored = Cluster.Prepare(1);
        ClusterNode node = restored.Nodes[0];
        Restore(restored, node, backup);
        Assert.Equal(last + skipped + 1, Inspected(node, "log-first-index"));
        node.Start(restored.Urls, "--snapshot-every", "25");
        node.WaitUntilReady();
        AssertHasAll(node);
        node.Kill();
        node.Restart();
        node.WaitUntilReady();
        Fill(node);
        WaitForSnapshots(node, after: last + skipped);

        ClusterNode second = restored.PrepareMember();
        Operator.AssertDone(Operator.Post(node, second.Id, second.PeerUrl), restored);
        second.StartJoining(restored.Urls);
        Operator.WaitUntilVoter(restored, second);
        AssertHasAll(second);
        restored.KillAll();
        Assert.True(Inspected(second, "log-first-index") > last + skipped);

        string again = directory.PathOf("again");
        Succeeds("backup", "--data-dir", second.DataDirectory, "--output", again);
        last = Inspected(second, "log-last-index");
        using Cluster newest = Cluster.Prepare(1);
        Restore(newest, newest.Nodes[0], again);
        Assert.Equal(last + skipped + 1, Inspected(newest.Nodes[0], "log-first-index"));
        newest.Nodes[0].Start(newest.Urls);
        newest.WaitUntilReady();
        AssertHasAll(newest.Nodes[0]);
    }

    [Fact]
    public void A_backup_is_made_of_the_whole_log_and_changes_nothing()
    {
        using Cluster cluster = Filled();
        ClusterNode node = cluster.Nodes[0];
        DirectoryImage before = DirectoryImage.Of(node.DataDirectory);
        string backup = directory.PathOf("backup");
        Succeeds("backup", "--data-dir", node.DataDirectory, "--output", backup);
        byte[] first = File.ReadAllBytes(backup);
        Assert.Contains(
            "is not overwritten", Fails("backup", "--data-dir", node.DataDirectory, "--output", backup),
            StringComparison.Ordinal);
        Assert.Equal(first, File.ReadAllBytes(backup));
        Assert.True(before.IsSameAs(DirectoryImage.Of(node.DataDirectory)));
        Assert.Equal([backup], Directory.EnumerateFiles(directory.Location));
    }

    [Fact]
    public void A_running_node_is_neither_backed_up_nor_inspected()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        string output = directory.PathOf("backup");
        Assert.Contains(
            "is in use by another process", Fails("backup", "--data-dir", node.DataDirectory, "--output", output),
            StringComparison.Ordinal);
        Assert.Contains(
            "is in use by another process", Fails("inspect", "--data-dir", node.DataDirectory),
            StringComparison.Ordinal);
        Assert.False(Path.Exists(output));
        Assert.Equal(204, node.TryExchange("PUT", "/key", "value"u8)?.Status);
    }

    [Fact]
    public void A_damaged_backup_and_one_of_another_version_are_refused_and_the_directory_stays_empty()
    {
        using Cluster cluster = Filled();
        string backup = directory.PathOf("backup");
        Succeeds("backup", "--data-dir", cluster.Nodes[0].DataDirectory, "--output", backup);
        byte[] whole = File.ReadAllBytes(backup);
        string target = directory.PathOf("restored");
        string url = $"http://127.0.0.1:{FreePorts.Take()}";
        for (int offset = 0; offset < whole.Length; offset += 997)
        {
            byte[] damaged = [.. whole];
            damaged[offset] ^= 1;
            File.WriteAllBytes(backup, damaged);
            Assert.Contains(
                "backup is damaged at byte ",
                Fails("restore", "--input", backup, "--data-dir", target, "--cluster", url), StringComparison.Ordinal);
        }
        File.WriteAllBytes(backup, whole[..^4096]);
        Assert.Contains(
            "backup is damaged at byte ", Fails("restore", "--input", backup, "--data-dir", target, "--cluster", url),
            StringComparison.Ordinal);

        BinaryPrimitives.WriteInt32LittleEndian(whole.AsSpan(8), 4);
        int header = 64 + BinaryPrimitives.ReadInt32LittleEndian(whole.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(whole, Crc32C.Compute(whole.AsSpan(4..header)));
        File.WriteAllBytes(backup, whole);
        Assert.Contains(
            "backup has format 4, and this program knows up to 3",
            Fails("restore", "--input", backup, "--data-dir", target, "--cluster", url), StringComparison.Ordinal);
        Assert.False(Path.Exists(target));
    }

    [Fact]
    public void A_directory_with_anything_in_it_is_not_restored_into()
    {
        using Cluster cluster = Filled();
        string backup = directory.PathOf("backup");
        Succeeds("backup", "--data-dir", cluster.Nodes[0].DataDirectory, "--output", backup);
        DirectoryImage before = DirectoryImage.Of(cluster.Nodes[0].DataDirectory);
        Assert.Contains(
            "is not empty", Fails("restore", "--input", backup, "--data-dir", cluster.Nodes[0].DataDirectory),
            StringComparison.Ordinal);
        Assert.True(before.IsSameAs(DirectoryImage.Of(cluster.Nodes[0].DataDirectory)));
    }

    /// <summary>
    /// A restore gives the identity its name last, which makes the directory a member's. A start refuses a directory
    /// that has only the first of the files, and another restore completes it.
    /// </summary>
    [Fact]
    public void A_restore_that_was_killed_is_refused_by_a_start_and_done_again()
    {
        using Cluster old = Filled();
        string backup = directory.PathOf("backup");
        Succeeds("backup", "--data-dir", old.Nodes[0].DataDirectory, "--output", backup);
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        Restore(cluster, node, backup);
        string identity = Path.Combine(node.DataDirectory, "identity");
        for (int kept = 0; kept < 3; kept++)
        {
            File.Move(identity, Path.Combine(node.DataDirectory, "identity-restoring"));
            string[] written = [.. Directory.EnumerateFiles(node.DataDirectory, "*-0*").Order(StringComparer.Ordinal)];
            Assert.Equal(2, written.Length);
            foreach (string path in written.Skip(kept))
                File.Delete(path);
            node.Start(cluster.Urls);
            Assert.True(node.Process.WaitForExit() == 1, node.ToString());
            Assert.Contains("run raftfast restore again", Complaint.Single(node.Process), StringComparison.Ordinal);
            Restore(cluster, node, backup);
        }
        node.Start(cluster.Urls);
        node.WaitUntilReady();
        Assert.Equal($"value {Keys - 1}", node.TryExchange("GET", $"/{Keys - 1}")?.Text);
    }

    [Fact]
    public void A_backup_in_a_data_directory_is_no_snapshot()
    {
        using Cluster cluster = Filled();
        ClusterNode node = cluster.Nodes[0];
        Succeeds("backup", "--data-dir", node.DataDirectory, "--output", directory.PathOf("backup"));
        File.Move(directory.PathOf("backup"), Path.Combine(node.DataDirectory, "snapshot-00000000000000000061.snap"));
        node.Restart();
        Assert.True(node.Process.WaitForExit() == 1, node.ToString());
        Assert.Contains("is a backup", Complaint.Single(node.Process), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_names_what_there_is_and_each_damage_by_file_and_byte()
    {
        using Cluster cluster = Filled();
        ClusterNode node = cluster.Nodes[0];
        DirectoryImage image = DirectoryImage.Of(node.DataDirectory);
        string[] lines = Succeeds("inspect", "--data-dir", node.DataDirectory).Split('\n');
        Assert.Equal("sound: yes", lines[^1]);
        Assert.Contains("member: 1", lines);
        Assert.Contains($"cluster-member: 1, voter, {node.PeerUrl}", lines);
        Assert.Contains($"log-last-index: {Keys + 1}", lines);
        Assert.True(image.IsSameAs(DirectoryImage.Of(node.DataDirectory)));

        string[] snapshots = [.. image.Names.Where(name => name.EndsWith(".snap", StringComparison.Ordinal))];
        image = image.WithFlippedBit(snapshots[0], 4200).WithFlippedBit(snapshots[1], 5000).WithFlippedBit(
            "wal-0000000000000001.log", 8300);
        image.Restore(node.DataDirectory);
        using ServerProcess process = ServerProcess.Start("inspect", "--data-dir", node.DataDirectory);
        Assert.True(process.WaitForExit() == 1, process.ToString());
        Assert.Equal("sound: no", process.Output[^1]);
        foreach (string name in (string[])[.. snapshots, "wal-0000000000000001.log"])
            Assert.Contains(process.Output, line => line.StartsWith(
                $"damage: {name} is damaged at byte ", StringComparison.Ordinal));
        Assert.Contains("member: 1", process.Output);
        Assert.True(image.IsSameAs(DirectoryImage.Of(node.DataDirectory)));
    }

    [Fact]
    public void What_is_no_member_s_directory_is_named()
    {
        Assert.Contains(
            directory.Location, Fails("inspect", "--data-dir", directory.Location), StringComparison.Ordinal);
        Assert.Contains(
            "nowhere", Fails("inspect", "--data-dir", directory.PathOf("nowhere")), StringComparison.Ordinal);
        Assert.Contains(
            "nothing", Fails("restore", "--input", directory.PathOf("nothing"), "--data-dir", directory.PathOf("new")),
            StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Location));
    }

    public void Dispose() => directory.Dispose();

    /// <summary>Returns a stopped cluster of one, with keys and two snapshots.</summary>
    private static Cluster Filled()
    {
        Cluster cluster = Cluster.Start(1, "--snapshot-every", "25");
        ClusterNode node = cluster.Nodes[0];
        Fill(node);
        Eventually.True(
            () => Directory.EnumerateFiles(node.DataDirectory, "snapshot-*.snap").Count() == 2,
            () => $"two snapshots are taken; {node}");
        node.Kill();
        return cluster;
    }

    private static void Fill(ClusterNode node)
    {
        for (int i = 0; i < Keys; i++)
            Assert.Equal(
                204, node.TryExchange("PUT", $"/{i}", System.Text.Encoding.ASCII.GetBytes($"value {i}"))?.Status);
    }

    private static void AssertHasAll(ClusterNode node)
    {
        for (int i = 0; i < Keys; i++)
            Assert.Equal($"value {i}", node.TryExchange("GET", $"/{i}")?.Text);
    }

    /// <summary>Waits until both snapshots are of entries after this index.</summary>
    private static void WaitForSnapshots(ClusterNode node, long after) =>
        Eventually.True(
            () =>
            {
                string[] names = [.. Directory.EnumerateFiles(node.DataDirectory, "snapshot-0*.snap")];
                string least = Path.Combine(node.DataDirectory, $"snapshot-{after + 1:d20}.snap");
                return names.Length == 2 && names.All(name => string.CompareOrdinal(name, least) >= 0);
            },
            () => $"two snapshots are taken; {node}");

    private static void Restore(Cluster cluster, ClusterNode node, string backup) =>
        Succeeds(
            "restore", "--input", backup, "--data-dir", node.DataDirectory, "--id", $"{node.Id}", "--cluster",
            cluster.Urls);

    private static long Inspected(ClusterNode node, string key) => long.Parse(
        Succeeds("inspect", "--data-dir", node.DataDirectory).Split('\n').Single(line =>
            line.StartsWith($"{key}: ", StringComparison.Ordinal))[(key.Length + 2)..],
        CultureInfo.InvariantCulture);

    /// <returns>The lines on stdout.</returns>
    private static string Succeeds(params string[] arguments)
    {
        using ServerProcess process = ServerProcess.Start(arguments);
        Assert.True(process.WaitForExit() == 0, process.ToString());
        return string.Join('\n', process.Output);
    }

    /// <returns>The reason that the command gives.</returns>
    private static string Fails(params string[] arguments)
    {
        using ServerProcess process = ServerProcess.Start(arguments);
        Assert.True(process.WaitForExit() == 1, process.ToString());
        return Complaint.Single(process);
    }
}
