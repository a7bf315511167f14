using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>
/// Clients that watch, break off and come back at random members, while leaders are killed: each has in the end exactly
/// the changes of the log.
/// </summary>
public sealed class WatchTortureTests
{
    private const int Watchers = 4;
    private const int Writers = 3;
    private const int KillsMin = 3;
    private const string Last = "/watched/last";

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(12);

    [Fact]
    public async Task Watches_that_are_killed_and_come_back_have_exactly_the_changes_of_the_log()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        using Cluster cluster = Cluster.StartWithApi(3);
        using CancellationTokenSource stop = new();
        Task<List<string>>[] writers = [.. Enumerable.Range(0, Writers).Select(
            number => Task.Factory.StartNew(
                () => Write(cluster, number, stop.Token), TaskCreationOptions.LongRunning))];
        Task<List<WatchEvent>>[] watchers = [.. Enumerable.Range(0, Watchers).Select(
            number => Task.Factory.StartNew(
                () => Follow(cluster, new Random(seed + number)), TaskCreationOptions.LongRunning))];
        long begun = Environment.TickCount64;
        int kills = 0;
        while (kills < KillsMin || Environment.TickCount64 - begun < Duration.TotalMilliseconds)
        {
            ClusterNode victim = random.Next(4) > 0 ? cluster.WaitForLeader() : cluster.Nodes[random.Next(3)];
            victim.Kill();
            kills++;
            RandomFaults.Wait(random.Next(300));
            victim.Restart();
            cluster.WaitUntilReady();
            RandomFaults.Wait(random.Next(500));
        }
        await stop.CancelAsync();
        string[] acknowledged = [.. (await Task.WhenAll(writers)).SelectMany(keys => keys)];
        Eventually.True(
            () => cluster.Nodes[0].TryExchange("PUT", Last, "v"u8) is { Status: 204 }, () => $"{cluster}");

        List<WatchEvent> log = Whole(cluster.Nodes[0]);
        Assert.Equal(log, Whole(cluster.Nodes[1]));
        Assert.Equal(log, Whole(cluster.Nodes[2]));
        Assert.Equal(log.Count, log.Select(one => one.Id).Distinct().Count());
        string all = string.Join('\n', log.Select(one => one.Data));
        Assert.All(acknowledged, key => Assert.Contains($"\"{key}\"", all, StringComparison.Ordinal));
        foreach (Task<List<WatchEvent>> watcher in watchers)
        {
            await Eventually.EndsAsync(watcher);
            Assert.Equal(log, await watcher);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"seed {seed}: {kills} kills, {log.Count} entries, {acknowledged.Length} acknowledged");
        Assert.NotEmpty(acknowledged);
    }

    /// <summary>Follows the log from its beginning, on many connections, up to the last write.</summary>
    private static List<WatchEvent> Follow(Cluster cluster, Random random)
    {
        List<WatchEvent> seen = [];
        string? lastId = null;
        while (true)
        {
            ClusterNode node = cluster.Nodes[random.Next(3)];
            try
            {
                using WatchClient watch = WatchClient.Open(node, "?prefix=/watched/&after=0&values=true", lastId);
                for (int left = random.Next(1, 200); watch.Status == 200 && left > 0; left--)
                {
                    if (watch.Next() is not { } next)
                        break;
                    Assert.Equal("message", next.Type);
                    lastId = watch.LastId;
                    seen.Add(next);
                    if (next.Data.Contains($"\"{Last}\"", StringComparison.Ordinal))
                        return seen;
                }
                Assert.NotEqual(410, watch.Status);
            }
            catch (Exception failure) when (failure is IOException or HttpRequestException)
            {
                // The member was killed, or has not started yet.
                Thread.Sleep(10);
            }
        }
    }

    private static List<WatchEvent> Whole(ClusterNode node)
    {
        List<WatchEvent> log = [];
        using WatchClient watch = WatchClient.Open(node, "?prefix=/watched/&after=0&values=true");
        while (log.Count == 0 || !log[^1].Data.Contains($"\"{Last}\"", StringComparison.Ordinal))
            log.Add(watch.Next()!);
        return log;
    }

    /// <returns>Keys whose PUT was acknowledged.</returns>
    private static List<string> Write(Cluster cluster, int number, CancellationToken stop)
    {
        List<string> acknowledged = [];
        for (int i = 0; !stop.IsCancellationRequested; i++)
        {
            ClusterNode node = cluster.Nodes[(number + i) % 3];
            string key = $"/watched/{number}/{i}";
            HttpAnswer? answer = i % 3 == 0
                ? node.TryExchange("PUT", key, "short"u8, "RaftFast-TTL: 1")
                : node.TryExchange("PUT", key, "value"u8);
            if (answer?.Status == 204)
                acknowledged.Add(key);
            node.TryExchange("PUT", $"/other/{number}", "value"u8);
            if (i % 3 == 1)
                node.TryExchange("DELETE", key, default, "If-Match: *");
            stop.WaitHandle.WaitOne(5);
        }
        return acknowledged;
    }
}
