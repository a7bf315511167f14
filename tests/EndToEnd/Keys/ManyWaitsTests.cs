using System.Globalization;
using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

[Collection(nameof(Alone))]
public sealed class ManyWaitsTests
{
    private const int Waits = 10_000;

    /// <summary>
    /// Memory of a member for each waiting GET with its connection. The connection alone takes most of it.
    /// </summary>
    private const int BytesEachMax = 40 * 1024;

    /// <summary>Threads that .NET may start for its own purposes meanwhile.</summary>
    private const int OtherThreadsMax = 16;

    [Fact]
    public void Ten_thousand_waiting_reads_take_no_thread_and_bounded_memory_and_wake_for_their_key_alone()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        int threads = Threads(node);
        long before = node.Process.ResidentBytes;
        List<HttpConnection> waiting = [];
        try
        {
            for (int i = 0; i < Waits; i++)
            {
                HttpConnection connection = HttpConnection.Open(node.HttpPort);
                waiting.Add(connection);
                connection.Send("GET", $"/wait{i}", default, "Prefer: wait=60");
            }
            using HttpConnection writer = HttpConnection.Open(node.HttpPort);
            for (int i = 0; i < 1000; i++)
                Assert.Equal(204, writer.Exchange("PUT", $"/other{i}", "x"u8).Status);
            Assert.DoesNotContain(waiting, connection => connection.HasInput);
            Assert.InRange(Threads(node), 1, threads + OtherThreadsMax);
            long each = (node.Process.ResidentBytes - before) / Waits;
            TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes for each waiting read");
            Assert.InRange(each, 0, BytesEachMax);

            int[] woken = [0, 17, Waits / 2, Waits - 1];
            foreach (int i in woken)
                Assert.Equal(204, writer.Exchange("PUT", $"/wait{i}", Encoding.ASCII.GetBytes($"{i}")).Status);
            foreach (int i in woken)
                Assert.Equal($"{i}", waiting[i].Receive().Text);
            Assert.DoesNotContain(waiting, connection => connection.HasInput);
        }
        finally
        {
            foreach (HttpConnection connection in waiting)
                connection.Dispose();
        }
        // Reads of clients that are gone do not wait to their end.
        Eventually.True(
            () => node.TryExchange("GET", "/wait17")?.Status == 200, () => $"the member serves, {node}");
    }

    private static int Threads(ClusterNode node) => int.Parse(
        File.ReadLines($"/proc/{node.Process.Id}/status")
            .First(line => line.StartsWith("Threads:", StringComparison.Ordinal))["Threads:".Length..],
        CultureInfo.InvariantCulture);
}
