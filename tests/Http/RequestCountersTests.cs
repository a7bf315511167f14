namespace RaftFast.Http.Tests;

public sealed class RequestCountersTests
{
    [Fact]
    public async Task Each_answer_is_counted_once_by_method_and_status()
    {
        using Store store = new();
        await using HttpFront front = new(store.Submit, new HttpLimits(), new ManualTime());
        PipeClient client = new(front);
        await client.SendAsync(ManualServer.Put("/a", "v") + ManualServer.Put("/b", new string('v', 100_000))
            + ManualServer.Get("/a") + ManualServer.Get("/nothing")
            + "HEAD /b HTTP/1.1\r\nHost: h\r\n\r\nPATCH /a HTTP/1.1\r\nHost: h\r\n\r\n"
            + "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        await client.ReceiveAllAsync();

        Dictionary<string, long> counted = [];
        for (int method = 0; method < RequestCounters.Methods.Length; method++)
        {
            for (int status = 0; status < RequestCounters.Statuses.Length; status++)
            {
                if (front.Answered[method, status] > 0)
                {
                    counted[$"{RequestCounters.Methods[method]} {RequestCounters.Statuses[status]}"] =
                        front.Answered[method, status];
                }
            }
        }
        Assert.Equal(
            new Dictionary<string, long>
            {
                ["PUT 204"] = 2,
                ["GET 200"] = 2,
                ["GET 404"] = 1,
                ["HEAD 200"] = 1,
                ["other 405"] = 1,
            },
            counted);
    }

    [Fact]
    public async Task Probe_is_done_when_the_read_is_answered()
    {
        ReadProbe confirmed = new();
        Assert.True(confirmed.MarkForResume());
        Assert.False(confirmed.MarkForResume());
        confirmed.Request.CompleteNotFound();
        confirmed.Resume();
        Assert.True(await confirmed.Done);

        ReadProbe expired = new();
        expired.Request.CompleteError(503, "no leader\n"u8);
        expired.Resume();
        Assert.False(await expired.Done);
    }
}
