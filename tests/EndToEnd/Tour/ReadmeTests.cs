using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

[Collection(nameof(TourPorts))]
[UnsupportedOSPlatform("windows")]
public sealed class ReadmeTests : IDisposable
{
    /// <summary>Time that the first command may take, which builds the server from its sources.</summary>
    private static readonly TimeSpan BuildsWithin = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan CommandEndsWithin = TimeSpan.FromSeconds(60);

    private readonly ScratchTree tree = new();
    private readonly string continuousIntegration = File.ReadAllText(Repository.PathOf(".ci", "run"));
    private ShellJob? server;
    private int[] serverPorts = [];

    [Fact]
    public void Every_command_of_the_README_does_what_it_shows()
    {
        TourPorts.AssertFree();
        foreach (ReadmeStep step in Readme.Steps())
        {
            switch (step.Kind)
            {
                case ReadmeStepKind.Heading:
                    StopServer();
                    break;
                case ReadmeStepKind.Server:
                    StartServer(step);
                    break;
                default:
                    RunCommand(step);
                    break;
            }
        }
        StopServer();
        TourPorts.AssertFree();
    }

    [Fact]
    public void A_console_block_is_commands_and_what_they_print()
    {
        IReadOnlyList<ReadmeStep> steps = Readme.Parse(
            [
                "# Title", "```console", "$ one", "$ two", "a", "b", "```", "```sh server 1 2", "serve", "```",
                "```sh", "run", "```",
            ]);
        Assert.Equal(
            [
                (ReadmeStepKind.Heading, 1, "Title", null), (ReadmeStepKind.Command, 3, "one", ""), (
                    ReadmeStepKind.Command, 4, "two", "a\nb"),
                (ReadmeStepKind.Server, 9, "serve", null), (ReadmeStepKind.Command, 12, "run", null),
            ],
            steps.Select(step => (step.Kind, step.Line, step.Text, step.Expected)));
        Assert.Equal([1, 2], steps[3].Ports);
    }

    [Fact]
    public void A_block_that_no_test_could_run_is_refused() =>
        Assert.ThrowsAny<Exception>(() => Readme.Parse(["```bash", "rm -r /", "```"]));

    public void Dispose()
    {
        server?.Dispose();
        using (ShellJob clusterGone = tree.Start("scripts/cluster destroy"))
            clusterGone.WaitForExit(CommandEndsWithin);
        tree.Dispose();
    }

    private void StartServer(ReadmeStep step)
    {
        if (step.Text.StartsWith("goreman ", StringComparison.Ordinal))
            ProvideProcfileManager();
        server = tree.Start(step.Text);
        serverPorts = step.Ports;
        foreach (int port in step.Ports)
        {
            Eventually.True(
                () =>
                {
                    Assert.False(server.HasExited, $"{At(step)} ended: {server}");
                    return Curl.Get($"http://127.0.0.1:{port}/").Status is 200 or 404;
                },
                BuildsWithin, () => $"{At(step)} answers on {port}: {server}");
        }
    }

    private void StopServer()
    {
        if (server is null)
            return;
        server.Interrupt();
        server.WaitForExit(CommandEndsWithin);
        server.Dispose();
        server = null;
        TourPorts.AssertFree(serverPorts); // others may run in the background
    }

    private void RunCommand(ReadmeStep step)
    {
        string[] words = step.Text.Split(' ');
        switch (words)
        {
            case ["dotnet", "test", ..]: // this test runs inside of that command
                AssertContinuousIntegrationRuns(step, step.Text);
                return;
            case ["sudo", "apt-get", ..]:
                AssertContinuousIntegrationRuns(step, string.Join(' ', words.Skip(1)));
                return;
            case ["dotnet", "publish", ..]: // CI has run the command, and these tests run its result
                AssertContinuousIntegrationRuns(step, step.Text);
                tree.LinkServer();
                return;
        }
        using ShellJob job = tree.Start(step.Text);
        int exitCode = job.WaitForExit(CommandEndsWithin);
        Assert.True(exitCode == 0, $"{At(step)} exits with {exitCode}: {job}\n{server}");
        if (step.Expected is null)
            return;
        string pattern = $"^{Regex.Escape(step.Expected).Replace(@"\.\.\.", ".*", StringComparison.Ordinal)}$";
        Assert.True(
            Regex.IsMatch(job.Output.TrimEnd('\n'), pattern),
            $"{At(step)} prints, where the README shows\n{step.Expected}\n: {job}\n{server}");
    }

    private void AssertContinuousIntegrationRuns(ReadmeStep step, string command) =>
        Assert.True(
            continuousIntegration.Contains(command, StringComparison.Ordinal),
            $".ci/run does not run '{command}', which {At(step)} shows");

    /// <summary>Makes a stand-in for goreman: runs all lines of ./Procfile, and stops all of them together.</summary>
    private void ProvideProcfileManager()
    {
        const string Script = """
            #!/usr/bin/env bash
            trap 'kill $(jobs -p); wait' INT TERM
            while IFS= read -r line; do bash -c "exec ${line#*: }" & done <Procfile
            wait
            """;
        string path = Path.Combine(tree.CommandsDirectory, "goreman");
        File.WriteAllText(path, Script + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string At(ReadmeStep step) => $"README.md:{step.Line} '{step.Text}'";
}
