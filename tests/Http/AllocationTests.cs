using System.Text;

namespace RaftFast.Http.Tests;

/// <summary>These tests count the allocations of the whole process, so no other test runs at the same time.</summary>
[Collection(nameof(AllocationTests))]
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTests
{
    private const int Burst = 16;

    private static readonly byte[] Value = new byte[1000];

    private static readonly byte[] Requests = Encoding.Latin1.GetBytes(
        string.Concat(Enumerable.Repeat(ManualServer.Put("/key", new string('v', 1000)), Burst))
        + string.Concat(Enumerable.Repeat(ManualServer.Get("/key"), Burst)));

    [Fact]
    public async Task Put_and_get_allocate_nothing_on_the_connections_thread()
    {
        await using HttpFront front = new(Complete, new HttpLimits(), new ManualTime());
        PipeClient client = new(front, pauseWriterThreshold: 1 << 20, segmentBytes: 4096);
        int answerBytes = Exchange(client, answerBytesMin: 1);
        for (int i = 0; i < 100; i++)
            Exchange(client, answerBytes);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 10_000 / (2 * Burst); i++)
                Exchange(client, answerBytes);
        }));
    }

    [Fact]
    public async Task Put_and_get_allocate_nothing_on_any_thread()
    {
        ClientRequest[] inbox = new ClientRequest[2 * Burst];
        int count = 0;
        using SemaphoreSlim arrived = new(0);
        await using HttpFront front = new(
            request =>
            {
                lock (inbox)
                    inbox[count++] = request;
                arrived.Release();
            },
            new HttpLimits(),
            new ManualTime());
        bool hasEnded = false;
        Thread completer = new(() =>
        {
            while (true)
            {
                arrived.Wait();
                ClientRequest request;
                lock (inbox)
                {
                    if (hasEnded)
                        return;
                    request = inbox[0];
                    Array.Copy(inbox, 1, inbox, 0, --count);
                }
                IRequestOwner connection = request.Owner;
                Complete(request);
                connection.Resume();
            }
        });
        completer.Start();
        PipeClient client = new(front, pauseWriterThreshold: 1 << 20, segmentBytes: 4096);
        int answerBytes = Burst * (Answers.NoContent.Length + Answers.Ok(new string('v', 1000)).Length + (2 * 28));
        for (int i = 0; i < 100; i++)
            Exchange(client, answerBytes);
        const int Rounds = 10_000 / (2 * Burst);
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 10 && allocated > 0; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Rounds; i++)
                Exchange(client, answerBytes);
            allocated = Math.Min(allocated, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        lock (inbox)
            hasEnded = true;
        arrived.Release();
        completer.Join();
        // The runtime's own threads may allocate a little: less than a byte for each request.
        Assert.InRange(allocated, 0, Rounds * 2 * Burst);
    }

    private static void Complete(ClientRequest request)
    {
        if (request.Method == ClientRequestMethod.Put)
            request.CompleteNoContent();
        else
            request.CompleteValue(Value);
    }

    private static int Exchange(PipeClient client, int answerBytesMin)
    {
        Assert.True(client.SendNow(Requests));
        int received = 0;
        while (received < answerBytesMin)
            received += client.DropNow();
        return received;
    }
}
