using System.Globalization;

namespace RaftFast.LoadTest.Tests;

/// <summary>The program with its command line, against a real HTTP server.</summary>
public sealed class SessionTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("raftfast-test-");
    private readonly StringWriter output = new(CultureInfo.InvariantCulture);
    private readonly StringWriter error = new(CultureInfo.InvariantCulture);

    [Fact]
    public async Task Held_thresholds_are_exit_code_0_and_both_reports_contain_the_measurements()
    {
        await using EmptyServer server = EmptyServer.Start(0, 64);
        int exitCode = await RunAsync(
            "--target", $"http://{server.EndPoint}", "--scenario", "mixed", "--warm-up", "20ms",
            "--threshold", "failed<=0%", "--simulation", "KeepConstant(copies: 2, during: 100ms)",
            "--simulation", "Pause(during: 10ms)",
            "--simulation", "RampingInject(rate: 500, interval: 1s, during: 100ms)", "--report", directory.FullName);
        Assert.Equal((0, ""), (exitCode, error.ToString()));
        string summary = await ReadReportAsync("mixed.md");
        Assert.Contains("| get | ", summary, StringComparison.Ordinal);
        Assert.Contains("| `failed<=0%` | 0 % | yes |", summary, StringComparison.Ordinal);
        Assert.Contains(summary, output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", summary, StringComparison.Ordinal);
        string page = await ReadReportAsync("mixed.html");
        Assert.Equal(3, page.Split("<svg ").Length - 1);
        Assert.Contains("failed&lt;=0%", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rate>=1", 0)]
    [InlineData("rate<1", 1)]
    [InlineData("p50<1parsec", 2)]
    public async Task Thresholds_set_the_exit_code(string threshold, int expected)
    {
        await using EmptyServer server = EmptyServer.Start(0, 64);
        Assert.Equal(expected, await RunAsync(
            "--target", $"http://{server.EndPoint}", "--no-calibration", "--warm-up", "0s", "--threshold", threshold,
            "--threshold", "failed<=0%", "--max-requests", "50",
            "--simulation", "KeepConstant(copies: 2, during: 5min)"));
    }

    [Theory]
    [InlineData("connect-storm")]
    [InlineData("get")]
    [InlineData("hot-key")]
    [InlineData("large-values")]
    [InlineData("put")]
    public async Task A_scenario_without_a_disturbance_runs_against_any_target(string scenario)
    {
        await using EmptyServer server = EmptyServer.Start(0, 64);
        Assert.Equal(0, await RunAsync(
            "--target", $"http://{server.EndPoint}", "--scenario", scenario, "--no-calibration", "--warm-up", "0s",
            "--max-requests", "50", "--simulation", "RampingConstant(copies: 1024, during: 5min)"));
    }

    [Fact]
    public async Task No_more_requests_are_sent_than_max_requests()
    {
        await using EmptyServer server = EmptyServer.Start(0, 64);
        Assert.Equal(0, await RunAsync(
            "--target", $"http://{server.EndPoint}", "--no-calibration", "--warm-up", "0s", "--max-requests", "25",
            "--simulation", "KeepConstant(copies: 4, during: 5min)"));
        Assert.Contains("| put | 25 | 0 |", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--scenario", "nothing", "there is no scenario 'nothing'")]
    [InlineData("--target", "http://192.0.2.1:9121", "--allow-remote")]
    [InlineData("--target", "http://example.org:9121", "--allow-remote")]
    [InlineData("--target", "127.0.0.1", "must be a URL")]
    [InlineData("--simulation", "Inject", "is not a simulation")]
    [InlineData("--warm-up", "soon", "--warm-up is 'soon'")]
    [InlineData("--keys", "0", "--keys is 0")]
    [InlineData("--value-bytes", "1000000", "MiB together")]
    [InlineData("--no-such-flag", "1", "no-such-flag")]
    public async Task A_wrong_flag_is_one_line_and_exit_code_2(string flag, string value, string message)
    {
        Assert.Equal(ExitCode.Usage, await RunAsync(flag, value));
        Assert.Contains(message, error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_target_that_does_not_answer_is_exit_code_3()
    {
        int port;
        await using (EmptyServer server = EmptyServer.Start(0, 64))
            port = server.EndPoint.Port;
        Assert.Equal(ExitCode.NoTarget, await RunAsync("--target", $"http://127.0.0.1:{port}"));
        Assert.Contains("no connection", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_doesnt_know_a_flag_is_one_line_and_exit_code_2()
    {
        // For an unknown flag, ls exits with the same code as raftfast.
        Assert.Equal(ExitCode.Usage, await RunAsync("--scenario", "snapshot", "--binary", "/bin/ls"));
        Assert.Contains("doesn't know --snapshot-every", error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_node_that_doesnt_start_is_one_line_and_exit_code_3()
    {
        Assert.Equal(ExitCode.NoTarget, await RunAsync("--scenario", "leader-kill", "--binary", "/bin/false"));
        Assert.Contains("ended with exit code 1", error.ToString(), StringComparison.Ordinal);
        string missing = Path.Combine(directory.FullName, "nothing");
        Assert.Equal(ExitCode.NoTarget, await RunAsync("--scenario", "leader-kill", "--binary", missing));
        Assert.Equal(2, error.ToString().TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task An_interrupted_run_reports_its_measurements_so_far()
    {
        await using EmptyServer server = EmptyServer.Start(0, 64);
        using CancellationTokenSource interrupt = new();
        string[] args =
        [
            "--target", $"http://{server.EndPoint}", "--no-calibration", "--warm-up", "0s",
            "--simulation", "KeepConstant(2, 5min)",
        ];
        Task<int> run = new CommandLine(
            (options, _) => new Session(options, output, error).RunAsync(interrupt.Token),
            (_, _, _) => throw new InvalidOperationException(),
            (_, _, _) => throw new InvalidOperationException()).InvokeAsync(args, output, error);
        await Eventually.TrueAsync(() => server.ConnectionCount > 1);
        await interrupt.CancelAsync();
        Assert.Equal(ExitCode.Interrupted, await run);
        Assert.Contains("| put | ", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_names_every_scenario()
    {
        Assert.Equal(0, await RunAsync("--list"));
        string[] names = [.. output.ToString().TrimEnd().Split('\n').Select(line => line.Split(' ')[0])];
        Assert.Equal(
            [
                "put", "get", "mixed", "large-values", "hot-key", "connect-storm", "leader-kill", "follower-stop",
                "snapshot",
            ],
            names);
    }

    public void Dispose()
    {
        directory.Delete(recursive: true);
        output.Dispose();
        error.Dispose();
    }

    private Task<string> ReadReportAsync(string name) =>
        File.ReadAllTextAsync(Path.Combine(directory.FullName, name), TestContext.Current.CancellationToken);

    private Task<int> RunAsync(params string[] args) => new CommandLine(
        (options, cancellation) => new Session(options, output, error).RunAsync(cancellation),
        (_, _, _) => throw new InvalidOperationException(),
        (_, _, _) => throw new InvalidOperationException()).InvokeAsync(args, output, error);
}
