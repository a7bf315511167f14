using System.Globalization;
using System.Net.Sockets;
using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

/// <summary>A counter that clients increment by compare-and-set through all members while leaders are killed.</summary>
public sealed class CounterTests
{
    private const int Clients = 16;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(12);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Counter_has_every_increment_once(bool isIdempotent)
    {
        using Cluster cluster = Cluster.Start(3);
        Assert.Equal(204, cluster.WaitForLeader().TryExchange("PUT", "/counter", "0"u8)!.Status);
        long until = Environment.TickCount64 + (long)Duration.TotalMilliseconds;
        Task<Tally>[] clients =
            [.. Enumerable.Range(0, Clients).Select(i => Task.Factory.StartNew(
                () => Increment(cluster, i, until, isIdempotent), TaskCreationOptions.LongRunning))];
        int kills = 0;
        for (long next = Environment.TickCount64 + 2000; Environment.TickCount64 < until - 2000; next += 3000)
        {
            await Eventually.TrueAsync(() => Environment.TickCount64 >= next);
            ClusterNode leader = cluster.WaitForLeader();
            leader.Kill();
            leader.Restart();
            kills++;
        }
        Tally[] tallies = await Task.WhenAll(clients);
        int done = tallies.Sum(tally => tally.Done);
        int unknown = tallies.Sum(tally => tally.Unknown);
        cluster.WaitUntilReady();
        int counter = int.Parse(cluster.Nodes[0].TryExchange("GET", "/counter")!.Text, CultureInfo.InvariantCulture);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{counter} counted, {done} done, {unknown} unknown, {kills} kills");
        Assert.True(kills >= 2 && done > 20, $"{kills} kills, {done} increments\n{cluster}");
        if (isIdempotent)
            Assert.Equal((done, 0), (counter, unknown));
        else
            Assert.InRange(counter, done, done + unknown);
    }

    private static Tally Increment(Cluster cluster, int client, long until, bool isIdempotent)
    {
        Tally tally = default;
        for (int attempt = 0; Environment.TickCount64 < until; attempt++)
        {
            if (Send(cluster, client + attempt, "GET", default) is not { Status: 200 } read)
                continue;
            byte[] next = Encoding.ASCII.GetBytes(
                $"{int.Parse(read.Text, CultureInfo.InvariantCulture) + 1}");
            string[] fields = [$"If-Match: \"{read.Tag}\""];
            if (isIdempotent)
                fields = [.. fields, $"Idempotency-Key: \"{client}-{attempt}\""];
            HttpAnswer? answer = Send(cluster, client + attempt, "PUT", next, fields);
            // With an idempotency key the client retries until it knows, at another member each time.
            for (int retry = 1; isIdempotent && answer is not { Status: 204 or 412 }; retry++)
            {
                Assert.True(answer is null or { Status: 503 or 504 }, $"{answer?.Status} {answer?.Text}");
                Assert.True(Environment.TickCount64 < until + 30_000, $"no outcome\n{cluster}");
                answer = Send(cluster, client + attempt + retry, "PUT", next, fields);
            }
            if (answer is { Status: 204 })
                tally.Done++;
            else if (answer is null or { Status: 504 })
                tally.Unknown++;
        }
        return tally;
    }

    private static HttpAnswer? Send(
        Cluster cluster, int number, string method, ReadOnlySpan<byte> body, params ReadOnlySpan<string> fields) =>
        cluster.Nodes[number % cluster.Nodes.Count].TryExchange(method, "/counter", body, fields);

    private struct Tally
    {
        public int Done;
        public int Unknown;
    }
}
