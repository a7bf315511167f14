using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>One process of the real server. The log outlives the process; the process ends with this object.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const int TailLines = 40;

    private static readonly Regex BecameLeader = new(@"became leader in term (\d+)");

    private readonly Process process;
    private readonly List<string> lines = [];
    private readonly List<string> output = [];
    private readonly Lock gate = new();
    private readonly string commandLine;

    private ServerProcess(Process process, string commandLine)
    {
        this.process = process;
        this.commandLine = commandLine;
        AppDomain.CurrentDomain.ProcessExit += OnExitOfTests;
        process.ErrorDataReceived += (_, received) => Add(lines, received.Data);
        process.OutputDataReceived += (_, received) => Add(output, received.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    public bool HasExited => process.HasExited;

    /// <summary>Lines on stderr so far: the log.</summary>
    public IReadOnlyList<string> Lines => Snapshot(lines);

    /// <summary>Lines on stdout so far.</summary>
    public IReadOnlyList<string> Output => Snapshot(output);

    /// <summary>Highest term in which this process became leader, or 0.</summary>
    public long TermLed
    {
        get
        {
            long term = 0;
            foreach (string line in Lines)
            {
                Match match = BecameLeader.Match(line);
                if (match.Success)
                    term = Math.Max(term, long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
            }
            return term;
        }
    }

    /// <summary>True if a warning with this text has been logged.</summary>
    public bool Warns(string text) => Lines.Any(line =>
        line.Contains(text, StringComparison.Ordinal) && line.Contains(" warning ", StringComparison.Ordinal));

    public static ServerProcess Start(params IEnumerable<string> arguments) => StartIn(Path.GetTempPath(), arguments);

    public static ServerProcess StartIn(string workingDirectory, params IEnumerable<string> arguments) =>
        Start(new ProcessStartInfo(ServerBinary.Location, WithApiOff(arguments))
        {
            WorkingDirectory = workingDirectory,
        });

    /// <param name="binary">Program of another version.</param>
    public static ServerProcess StartOther(string binary, params IEnumerable<string> arguments) =>
        Start(new ProcessStartInfo(binary, arguments) { WorkingDirectory = Path.GetTempPath() });

    /// <summary>Starts the server from a shell, which may first limit the process or close its descriptors.</summary>
    /// <param name="script">
    /// Script of bash that ends with an exec of <c>"$0" "$@"</c>: the server and its arguments.
    /// </param>
    public static ServerProcess StartFromShell(string script, params IEnumerable<string> arguments) =>
        Start(new ProcessStartInfo("bash", ["-c", script, ServerBinary.Location, .. WithApiOff(arguments)])
        {
            WorkingDirectory = Path.GetTempPath(),
        });

    public int Id => process.Id;

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes => StatusBytes("VmRSS:");

    /// <summary>Greatest resident memory so far, in bytes.</summary>
    public long ResidentBytesPeak => StatusBytes("VmHWM:");

    /// <summary>Processor time of all threads so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public void Kill()
    {
        Signal.Send(process.Id, Signal.Kill);
        WaitForExit();
    }

    /// <summary>Kills the process without waiting for its end, so that several processes die together.</summary>
    public void BeginKill() => Signal.Send(process.Id, Signal.Kill);

    public void Terminate() => Signal.Send(process.Id, Signal.Terminate);

    public void Interrupt() => Signal.Send(process.Id, Signal.Interrupt);

    /// <summary>Sends SIGSTOP, and returns when the process has stopped.</summary>
    public void Pause()
    {
        Signal.Send(process.Id, Signal.Stop);
        Eventually.True(IsStopped, () => $"SIGSTOP stops {this}");
    }

    public void Resume() => Signal.Send(process.Id, Signal.Continue);

    /// <returns>The exit code.</returns>
    public int WaitForExit() => WaitForExit(Eventually.Deadline);

    public int WaitForExit(TimeSpan within)
    {
        if (!process.WaitForExit(within))
            Assert.Fail($"still runs after {within.TotalSeconds} s: {this}");
        process.WaitForExit(); // until its output is read to the end
        return process.ExitCode;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExitOfTests;
        if (!process.HasExited)
            Kill();
        process.Dispose();
    }

    /// <summary>Command line and last lines of the log, for the message of a failure.</summary>
    public override string ToString()
    {
        IReadOnlyList<string> all = Lines;
        string state = process.HasExited ? $"exited with {process.ExitCode}" : "runs";
        return $"{commandLine} ({state}), its last lines:\n  " + string.Join(
            "\n  ", all.Skip(Math.Max(0, all.Count - TailLines)));
    }

    /// <summary>
    /// Turns the API off unless the arguments name its address: the default port may be the port of another test.
    /// </summary>
    private static List<string> WithApiOff(IEnumerable<string> arguments)
    {
        List<string> all = [.. arguments];
        bool isCommand = all.Count > 0 && !all[0].StartsWith('-');
        if (!isCommand && !all.Contains("--api"))
            all.AddRange(["--api", "off"]);
        return all;
    }

    private static ServerProcess Start(ProcessStartInfo start)
    {
        start.RedirectStandardError = true;
        start.RedirectStandardOutput = true;
        return new ServerProcess(Process.Start(start)!, $"{start.FileName} {string.Join(' ', start.ArgumentList)}");
    }

    /// <summary>
    /// True if the process is stopped. The state is the first field after the command's parenthesis (proc(5)).
    /// </summary>
    private bool IsStopped()
    {
        string stat = File.ReadAllText($"/proc/{process.Id}/stat");
        return stat[stat.LastIndexOf(')') + 2] is 'T';
    }

    /// <summary>Reads a line of /proc/PID/status (proc(5)), which is in kibibytes.</summary>
    private long StatusBytes(string name)
    {
        string line = File.ReadLines($"/proc/{process.Id}/status")
            .First(line => line.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal),
            CultureInfo.InvariantCulture);
    }

    private void OnExitOfTests(object? sender, EventArgs arguments) => Signal.Send(process.Id, Signal.Kill);

    private void Add(List<string> destination, string? line)
    {
        if (line is null)
            return;
        lock (gate)
            destination.Add(line);
    }

    private string[] Snapshot(List<string> source)
    {
        lock (gate)
            return [.. source];
    }
}
