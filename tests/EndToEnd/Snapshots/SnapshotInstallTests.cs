using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Snapshots;

/// <summary>
/// A member that needs entries which the other members have compacted gets a snapshot, and continues after it.
/// </summary>
public sealed class SnapshotInstallTests
{
    private const int Keys = 30;

    private const int ValueBytes = 64 * 1024;

    private static readonly string[] Flags = ["--snapshot-every", "100"];

    private int round;

    [Fact]
    public void A_member_that_was_away_while_the_log_was_compacted_comes_back_by_a_snapshot()
    {
        using Cluster cluster = Cluster.Start(3, Flags);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode away = cluster.Others(leader).First();
        Write(leader);
        away.Kill();
        WriteUntilCompacted(leader);
        away.Restart();
        AssertInstalls(away, cluster);
        AssertHasAll(away);

        // The member counts in the majority while another member is down, and keeps the snapshot across a restart.
        cluster.Others(away).First(node => node != leader).Kill();
        Write(leader);
        AssertHasAll(away);
        away.Kill();
        away.Restart();
        away.WaitUntilReady();
        AssertHasAll(away);
    }

    [Fact]
    public void A_new_member_gets_a_snapshot_and_is_promoted_while_writes_go_on()
    {
        using Cluster cluster = Cluster.Start(3, Flags);
        ClusterNode leader = cluster.WaitForLeader();
        WriteUntilCompacted(leader);
        ClusterNode fourth = cluster.PrepareMember();
        using Writer writer = new(0, [leader]);
        Operator.AssertDone(Operator.Post(leader, fourth.Id, fourth.PeerUrl), cluster);
        fourth.StartJoining(cluster.Urls, Flags);
        AssertInstalls(fourth, cluster);
        Operator.WaitUntilVoter(cluster, fourth);
        writer.Stop();
        fourth.WaitUntilReady();
        AssertHasAll(fourth);
        Verification.EveryMemberKeeps(writer.WritesFrom(0), cluster.Nodes);
    }

    [Fact]
    public void A_member_that_is_killed_at_any_time_of_an_install_has_the_old_state_or_the_new()
    {
        using Cluster cluster = Cluster.Start(3, Flags);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode victim = cluster.Others(leader).First();
        Random random = new(5);
        for (int kill = 0; kill < 6; kill++)
        {
            victim.Kill();
            WriteUntilCompacted(leader);
            victim.Restart();
            // A moment between the first connection and some time after the install.
            int lines = random.Next(12);
            Eventually.True(
                () => victim.Process.Lines.Count > lines || victim.HasInstalledSnapshot,
                () => $"it comes back, {victim}");
            victim.Kill();
            victim.Restart();
            victim.WaitUntilReady();
            AssertHasAll(victim);
        }
        Assert.Contains(victim.Lines, line => line.Contains(" installed: ", StringComparison.Ordinal));
    }

    private static void AssertInstalls(ClusterNode node, Cluster cluster) =>
        Eventually.True(() => node.HasInstalledSnapshot, () => $"member {node.Id} installs a snapshot, {cluster}");

    private void Write(ClusterNode node)
    {
        round++;
        using HttpConnection connection = HttpConnection.Open(node.HttpPort);
        for (int key = 0; key < Keys; key++)
            Assert.Equal(204, connection.Exchange("PUT", $"/key/{key}", ValueOf(key)).Status);
    }

    /// <summary>Writes until the log contains no entry that it contained before.</summary>
    private void WriteUntilCompacted(ClusterNode leader)
    {
        string newest = Segments(leader)[^1];
        Eventually.True(
            () =>
            {
                Write(leader);
                return string.CompareOrdinal(Segments(leader)[0], newest) > 0;
            },
            TimeSpan.FromMinutes(2),
            () => $"the log is compacted, {leader}");
    }

    private void AssertHasAll(ClusterNode node)
    {
        using HttpConnection connection = HttpConnection.Open(node.HttpPort);
        for (int key = 0; key < Keys; key++)
        {
            HttpAnswer answer = connection.Exchange("GET", $"/key/{key}");
            Assert.True(
                answer.Status == 200 && answer.Body.AsSpan().SequenceEqual(ValueOf(key)),
                $"key {key}: {answer.Status}, {node}");
        }
    }

    private byte[] ValueOf(int key)
    {
        byte[] value = new byte[ValueBytes];
        Encoding.ASCII.GetBytes($"round {round}, key {key}").CopyTo(value, 0);
        return value;
    }

    private static string[] Segments(ClusterNode node) =>
        [.. Directory.GetFiles(node.DataDirectory, "wal-*.log").Order(StringComparer.Ordinal)];
}
