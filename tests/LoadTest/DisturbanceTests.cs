using System.Globalization;

namespace RaftFast.LoadTest.Tests;

[Trait("Suite", "Long")]
public sealed class DisturbanceTests
{
    [Theory]
    [InlineData("leader-kill", "killed the leader, member", "started member")]
    [InlineData("follower-stop", "stopped member", "continued member")]
    public async Task A_disturbance_happens_to_real_members_which_continue_to_serve(
        string scenario, string first, string then)
    {
        using StringWriter output = new(CultureInfo.InvariantCulture);
        using StringWriter error = new(CultureInfo.InvariantCulture);
        string[] args =
        [
            "--scenario", scenario, "--binary", ServerBinary.Location, "--no-calibration", "--warm-up", "0s",
            "--simulation", "Inject(rate: 100, interval: 1s, during: 2s)", "--threshold", "failed<50%",
        ];
        int exitCode = await new CommandLine(
            (options, cancellation) => new Session(options, output, error).RunAsync(cancellation),
            (_, _, _) => throw new InvalidOperationException(),
            (_, _, _) => throw new InvalidOperationException()).InvokeAsync(args, output, error);
        Assert.True(exitCode == 0, $"{output}{error}");
        Assert.Contains(first, output.ToString(), StringComparison.Ordinal);
        Assert.Contains(then, output.ToString(), StringComparison.Ordinal);
    }
}
