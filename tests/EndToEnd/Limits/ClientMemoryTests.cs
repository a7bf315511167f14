using System.Diagnostics;
using System.Net.Sockets;
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
        List<double> milliseconds = [];
        for (int i = 0; i < 20; i++)
        {
            long begun = Stopwatch.GetTimestamp();
            Assert.Equal(64, node.TryExchange("GET", "/small")!.Body.Length);
            milliseconds.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            Thread.Sleep(100);
        }
        Assert.InRange(milliseconds.Order().ElementAt(10), 0, 100);
        Assert.InRange(node.Process.ResidentBytesPeak, 0, ResidentMax);

        // A connection that reads at last gets its answers whole, or has been ended; it never gets less.
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
                // Ended, because others needed its memory.
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
        Thread.Sleep(3000);
        Assert.InRange(node.Process.ResidentBytesPeak, 0, ResidentMax);
        Assert.Equal(200, node.TryExchange("GET", "/large")!.Status);
        readers.ForEach(reader => reader.Dispose());
    }

    [Fact]
    public void Memory_of_many_large_writes_is_given_back()
    {
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
}
