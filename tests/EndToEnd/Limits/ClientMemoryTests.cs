using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Limits;

/// <summary>Clients that do not take their answers, and many large values at once: memory stays bounded.</summary>
[Collection(nameof(Alone))]
public sealed class ClientMemoryTests
{
    private const long MiB = 1 << 20;

    /// <summary>Memory of a process at all bounds of these tests: see "Memory" in docs/ARCHITECTURE.md.</summary>
    private const long ResidentMax = 400 * MiB;

    private static readonly byte[] Large = new byte[1_000_000];

    [Fact]
    public void Answers_that_1000_connections_do_not_read_are_bounded_and_delay_no_small_read()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection first = HttpConnection.Open(node.HttpPort);
        Assert.Equal(204, first.Exchange("PUT", "/large", Large).Status);
        Assert.Equal(204, first.Exchange("PUT", "/small", new byte[64]).Status);
        List<HttpConnection> readers = [];
        for (int i = 0; i < 1000; i++)
        {
            HttpConnection reader = HttpConnection.Open(node.HttpPort);
            readers.Add(reader);
            for (int k = 0; k < 4; k++)
                reader.Send("GET", "/large");
        }
        // The time of a small read is not asserted here. PendingReadsTests checks that small values go first.
        for (int i = 0; i < 20; i++)
            Assert.Equal(64, node.TryExchange("GET", "/small")!.Body.Length);
        Assert.InRange(node.Process.ResidentBytesPeak, 0, ResidentMax);

        // A connection that reads at last gets whole answers, unless the server has ended the connection.
        foreach (HttpConnection reader in readers.TakeLast(10))
        {
            try
            {
                HttpAnswer answer = reader.Receive();
                Assert.True(answer.Status is 200 or 503);
                Assert.True(answer.Status != 200 || answer.Body.AsSpan().SequenceEqual(Large));
            }
            catch (IOException)
            {
                // The server has ended this connection, because others needed its memory.
            }
        }
        readers.ForEach(reader => reader.Dispose());
        Assert.Equal(204, node.TryExchange("PUT", "/small", "v"u8)!.Status);
    }

    [Fact]
    public void Pipelined_reads_of_large_values_are_bounded()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, node.TryExchange("PUT", "/large", Large)!.Status);
        List<HttpConnection> readers = [];
        for (int i = 0; i < 60; i++)
        {
            HttpConnection reader = HttpConnection.Open(node.HttpPort);
            readers.Add(reader);
            for (int k = 0; k < 64; k++)
                reader.Send("GET", "/large");
        }
        // Each connection's share has room for an answer.
        Eventually.True(() => readers.TrueForAll(reader => reader.HasInput), () => $"answers come, {node}");
        Assert.InRange(node.Process.ResidentBytesPeak, 0, ResidentMax);
        Assert.Equal(200, node.TryExchange("GET", "/large")!.Status);
        readers.ForEach(reader => reader.Dispose());
    }

    [Fact]
    public void Memory_of_many_large_writes_is_given_back()
    {
        Assert.SkipUnless(ServerBinary.IsNative, "the runtime of the framework build keeps more memory");
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, node.TryExchange("PUT", "/large", Large)!.Status);
        long before = node.Process.ResidentBytes;
        byte[] value = new byte[1 << 20];
        HttpConnection[] writers = [.. Enumerable.Range(0, 200).Select(_ => HttpConnection.Open(node.HttpPort))];
        Parallel.ForEach(writers, new ParallelOptions { MaxDegreeOfParallelism = writers.Length }, writer =>
        {
            writer.Send("PUT", "/large", value);
            Assert.True(writer.Receive().Status is 204 or 503);
            writer.Dispose();
        });
        Eventually.True(
            () => node.Process.ResidentBytes <= before + (20 * MiB), TimeSpan.FromSeconds(10),
            () => $"memory is given back: {before} bytes before, {node.Process.ResidentBytes} now");
    }

    /// <summary>
    /// The sum of docs/ARCHITECTURE.md with smaller flags: 20 MiB for the program, 1,000 connections of 48 KiB, 64 MiB
    /// for requests and answers, 92 MiB for small ones, 64 MiB of log, and 32 MiB of state in size classes that may be
    /// an eighth larger.
    /// </summary>
    [Fact]
    public void Memory_at_every_bound_at_once_is_the_sum_of_the_bounds()
    {
        const long SumOfBounds = (20 + 47 + 64 + 92 + 64 + 36) * MiB;
        using Cluster cluster = Cluster.Start(
            1, "--connections-max", "1000", "--client-memory-max", "64MiB", "--state-max", "32MiB");
        ClusterNode node = cluster.Nodes[0];
        int keys = 0;
        while (node.TryExchange("PUT", $"/large{keys}", Large)!.Status == 204)
            keys++;
        byte[] partialBody =
            [.. "PUT /large0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"u8, .. new byte[500_000]];
        byte[] smallReads = [.. Enumerable.Repeat("GET /absent HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), 2000)
            .SelectMany(read => read)];
        List<HttpConnection> clients = [];
        for (int i = 0; i < 999; i++)
        {
            HttpConnection client = HttpConnection.Open(node.HttpPort);
            clients.Add(client);
            byte[] bytes = (i % 3) switch
            {
                0 => partialBody,
                1 => smallReads,
                _ => Encoding.ASCII.GetBytes($"GET /large{i % keys} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            };
            // The kernel's buffers take what the server has no room for.
            TrySend(client, bytes);
        }
        Eventually.True(
            () => clients.Where((_, i) => i % 3 == 1).All(client => client.HasInput),
            () => $"small answers come, {node}");
        Assert.True(node.Runs, node.ToString());
        Assert.InRange(node.Process.ResidentBytesPeak, 0, SumOfBounds);
        clients.ForEach(client => client.Dispose());
        Eventually.True(
            () => node.TryExchange("PUT", "/large0", Large) is { Status: 204 }, () => $"writes continue, {node}");
    }

    [Fact]
    public void Values_whose_sizes_change_need_no_more_memory_than_values_of_one_size()
    {
        // 20 MiB for the program, 64 MiB for requests and answers, 64 MiB of log, 11 MiB of state, 32 MiB of answers in
        // the transport's blocks.
        const long SumOfBounds = (20 + 64 + 64 + 11 + 32) * MiB;
        using Cluster cluster = Cluster.Start(1, "--client-memory-max", "64MiB");
        ClusterNode node = cluster.Nodes[0];
        int[] sizes = [1_000_000, 600_000, 300_000, 150_000, 70_000, 30_000, 10_000, 3000];
        foreach (int size in sizes)
            Assert.Equal(204, node.TryExchange("PUT", $"/{size}", new byte[size])!.Status);
        foreach (int size in sizes)
        {
            // All connections together ask for four times the bound, and take the answers only afterwards.
            int reads = (int)Math.Min(4 * 64 * MiB / size, 6400);
            List<HttpConnection> readers = [];
            while (reads > 0)
            {
                HttpConnection reader = HttpConnection.Open(node.HttpPort);
                readers.Add(reader);
                for (int k = 0; k < 64 && reads > 0; k++, reads--)
                    reader.Send("GET", $"/{size}");
            }
            Eventually.True(() => readers.TrueForAll(reader => reader.HasInput), () => $"answers come, {node}");
            readers.ForEach(reader => reader.Dispose());
        }
        Assert.InRange(node.Process.ResidentBytesPeak, 0, SumOfBounds);
    }

    private static void TrySend(HttpConnection client, byte[] bytes)
    {
        try
        {
            client.SendRaw(bytes);
        }
        catch (IOException)
        {
            // The server has ended the connection.
        }
    }
}
