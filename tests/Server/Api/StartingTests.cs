using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Http;
using RaftFast.Server.Api;
using RaftFast.Server.Recovery;
using RaftFast.Server.Tests.Peers;

namespace RaftFast.Server.Tests.Api;

/// <summary>Answers of the API while the node starts.</summary>
public sealed class StartingTests : IAsyncLifetime
{
    private readonly StartProgress start = new(new HandSetTime());
    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
    private ApiServer? api;

    public async ValueTask InitializeAsync()
    {
        ApiApplication application = new(AccessPolicy.AnyHost, start, Path.GetTempPath());
        api = await ApiServer.StartAsync(
            new IPEndPoint(IPAddress.Loopback, 0), watchesMax: 1, application, NullLoggerFactory.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await api!.DisposeAsync();
    }

    [Fact]
    public async Task Node_that_starts_lives_and_says_why_it_is_not_ready()
    {
        start.BeginSnapshot("snapshot-1.snap").Next(0, 4096);
        Assert.Equal((HttpStatusCode.OK, "ok      loop: the node starts\n"), await GetAsync("/livez"));
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable,
                "failed  start: loading snapshot-1.snap: 0 % done (0 KiB of 4 KiB)\n"),
            await GetAsync("/readyz"));
    }

    [Theory]
    [InlineData("/v1/status")]
    [InlineData("/v1/members")]
    [InlineData("/v1/keys")]
    [InlineData("/v1/watch")]
    [InlineData("/v1/hash")]
    [InlineData("/v1/backup")]
    public async Task Other_paths_refuse_and_say_what_is_done(string path)
    {
        start.Begin("opening the ports");
        (HttpStatusCode status, string text) = await GetAsync(path);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("\"The node starts: opening the ports. Try again.\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_is_sent()
    {
        (HttpStatusCode status, string text) = await GetAsync("/");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("<!DOCTYPE html>", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_have_the_process_and_the_progress_of_both_phases()
    {
        string[] metrics = await MetricsAsync();
        Assert.Contains("raftfast_recovery_bytes{phase=\"snapshot\"} 0", metrics);
        Assert.Contains("raftfast_recovery_done_bytes{phase=\"log\"} 0", metrics);
        Assert.Contains(metrics, line => line.StartsWith("process_resident_memory_bytes ", StringComparison.Ordinal));

        start.BeginSnapshot("snapshot-1.snap").Next(3, 5);
        start.BeginLog().Next(7, 9);
        metrics = await MetricsAsync();
        Assert.Contains("raftfast_recovery_bytes{phase=\"snapshot\"} 5", metrics);
        Assert.Contains("raftfast_recovery_bytes{phase=\"log\"} 9", metrics);
        Assert.Contains("raftfast_recovery_done_bytes{phase=\"snapshot\"} 3", metrics);
        Assert.Contains("raftfast_recovery_done_bytes{phase=\"log\"} 7", metrics);
    }

    private async Task<string[]> MetricsAsync()
    {
        (HttpStatusCode status, string text) = await GetAsync("/metrics");
        Assert.Equal(HttpStatusCode.OK, status);
        return text.Split('\n');
    }

    private async Task<(HttpStatusCode Status, string Text)> GetAsync(string path)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using HttpResponseMessage answer =
            await client.GetAsync(new Uri($"http://{api!.EndPoint}{path}"), cancellation);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellation));
    }
}
