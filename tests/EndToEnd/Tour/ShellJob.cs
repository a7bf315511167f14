using System.Diagnostics;
using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

/// <summary>
/// A command of bash in a session of its own. A signal to the session's group reaches every process that the command
/// started, as Ctrl-C does.
/// </summary>
internal sealed class ShellJob : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();
    private int openStreams = 2;

    public ShellJob(string command, string directory, IReadOnlyDictionary<string, string?> environment)
    {
        ProcessStartInfo start = new("setsid", ["bash", "-c", command])
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string? value) in environment)
            start.Environment[name] = value;
        process = Process.Start(start)!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, received) => Add(output, received.Data);
        process.ErrorDataReceived += (_, received) => Add(error, received.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool HasExited => process.HasExited;

    public string Output => Text(output);

    /// <returns>The exit code.</returns>
    public int WaitForExit(TimeSpan within)
    {
        if (!process.WaitForExit(within))
            Assert.Fail($"still runs after {within.TotalSeconds} s: {this}");
        Eventually.True(() =>
            Volatile.Read(ref openStreams) == 0, () => $"nothing in the background holds its output open: {this}");
        return process.ExitCode;
    }

    public void Interrupt() => Signal.Send(-process.Id, Signal.Interrupt);

    public void Dispose()
    {
        Signal.Send(-process.Id, Signal.Kill);
        process.WaitForExit(Eventually.Deadline);
        process.Dispose();
    }

    public override string ToString() => $"{Output}\n{Text(error)}";

    private void Add(StringBuilder destination, string? line)
    {
        if (line is null)
        {
            Interlocked.Decrement(ref openStreams);
            return;
        }
        lock (destination)
            destination.Append(line).Append('\n');
    }

    private static string Text(StringBuilder source)
    {
        lock (source)
            return source.ToString();
    }
}
