using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace RaftFast.Bench;

/// <summary>
/// Measures what a list of all keys adds to the latency of PUTs. The PUTs come in an open loop at a moderate rate, and
/// a client lists page after page in every second stretch of time. The latency counts from the due time.
/// </summary>
internal static class ListLatency
{
    private const int PutsPerSecond = 2000;
    private const int SecondsOfWarmUp = 2;
    private const int SecondsOfStretch = 10;
    private const int Pairs = 9;
    private const int Seconds = SecondsOfWarmUp + 2 * Pairs * SecondsOfStretch;

    public static void Run(string binary, int keys)
    {
        string path = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
        try
        {
            RecoveryData.Create(path, NodeUnderBench.PeerAddress, keys, entries: 0);
            using NodeUnderBench node = NodeUnderBench.Start(binary, path);
            node.WaitUntilReadable(RecoveryData.Key(0));
            using CancellationTokenSource stop = new();
            long begun = Stopwatch.GetTimestamp();
            Task<long> list = Task.Run(() => ListAsync(node.ApiPort, begun, stop.Token));
            Random random = new(1);
            AnsweredPut[] puts = OpenLoop.Run(
                node, PutsPerSecond, PutsPerSecond * Seconds, _ => RecoveryData.Key(random.Next(keys)),
                static () => false);
            stop.Cancel();
            Report(puts, begun, keys, list.GetAwaiter().GetResult());
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>Number of the stretch at a timestamp, from 0; negative while the node warms up.</summary>
    private static int StretchAt(long timestamp, long begun) =>
        (int)Math.Floor((Stopwatch.GetElapsedTime(begun, timestamp).TotalSeconds - SecondsOfWarmUp) / SecondsOfStretch);

    private static bool Lists(int stretch) => stretch >= 0 && stretch % 2 == 1;

    /// <returns>Number of pages that were read.</returns>
    private static async Task<long> ListAsync(int port, long begun, CancellationToken stop)
    {
        using HttpClient client = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        long pages = 0;
        string after = "";
        while (!stop.IsCancellationRequested)
        {
            if (!Lists(StretchAt(Stopwatch.GetTimestamp(), begun)))
            {
                await Task.Delay(1, CancellationToken.None);
                continue;
            }
            byte[] page = await client.GetByteArrayAsync(
                new Uri($"/v1/keys?limit=1000{after}", UriKind.Relative), CancellationToken.None);
            pages++;
            after = NextOf(page);
        }
        return pages;
    }

    /// <summary>Returns the parameter that asks for the next page; empty after the last page.</summary>
    private static string NextOf(ReadOnlySpan<byte> page)
    {
        ReadOnlySpan<byte> mark = "\"next\":\""u8;
        int place = page.LastIndexOf(mark);
        if (place < 0)
            return "";
        ReadOnlySpan<byte> next = page[(place + mark.Length)..];
        return $"&after={Encoding.ASCII.GetString(next[..next.IndexOf((byte)'"')])}";
    }

    private static void Report(AnsweredPut[] puts, long begun, int keys, long pages)
    {
        Latencies[] stretches = [.. Enumerable.Range(0, 2 * Pairs).Select(_ => new Latencies())];
        Latencies without = new();
        Latencies with = new();
        foreach (AnsweredPut put in puts)
        {
            int stretch = StretchAt(put.Due, begun);
            if (stretch < 0 || stretch >= stretches.Length)
                continue;
            stretches[stretch].Add(put.Ticks, 0);
            (Lists(stretch) ? with : without).Add(put.Ticks, 0);
        }
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{keys:N0} keys, {PutsPerSecond:N0} PUTs a second, {pages:N0} pages in {Pairs * SecondsOfStretch} s"));
        without.Print("PUT");
        with.Print("PUT while keys are listed");
        double[] rises = [.. Enumerable.Range(0, Pairs).Select(pair =>
            (stretches[2 * pair + 1].Percentile(0.999) - stretches[2 * pair].Percentile(0.999)) / 1e6).Order()];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"p99.9 rises by {rises[Pairs / 2]:F2} ms (median of {Pairs} pairs of stretches; {rises[0]:F2} to "
            + $"{rises[^1]:F2})"));
    }
}
