using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// One member of a cluster. The member's ports and data stay the same when its process ends and is started again.
/// Disposing ends the process.
/// </summary>
public sealed class Member : IDisposable
{
    /// <summary>Exit code of raftfast for a wrong flag.</summary>
    private const int UsageExitCode = 2;

    private static readonly Regex BecameLeader = new(@"became leader in term (\d+)");

    private readonly string binary;
    private readonly string[] arguments;
    private readonly List<string> log = [];
    private readonly Lock gate = new();
    private Process? process;
    private long termLed;

    internal Member(int id, IPEndPoint http, string binary, string[] arguments)
    {
        Id = id;
        Http = http;
        this.binary = binary;
        this.arguments = arguments;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public int Id { get; }

    /// <summary>Address for clients.</summary>
    public IPEndPoint Http { get; }

    /// <summary>Lines that all processes of this member have written to stderr so far.</summary>
    public IReadOnlyList<string> Log
    {
        get
        {
            lock (gate)
                return [.. log];
        }
    }

    /// <summary>Highest term in which the member became leader, or 0.</summary>
    internal long TermLed => Volatile.Read(ref termLed);

    internal bool Runs => process is { HasExited: false };

    /// <exception cref="ClusterException">The binary can't be run.</exception>
    public void Start()
    {
        ProcessStartInfo start = new(binary, arguments) { RedirectStandardError = true };
        // This variable tunes the generator. The member runs without it, as in production.
        start.Environment.Remove(Connection.InlineVariable);
        process?.Dispose();
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new ClusterException($"can't start {binary}: {e.Message}", e);
        }
        process.ErrorDataReceived += (_, received) => Add(received.Data);
        process.BeginErrorReadLine();
    }

    /// <summary>Kills the process (SIGKILL), and returns when the process has ended.</summary>
    public void Kill()
    {
        Signal.Send(process!.Id, Signal.Kill);
        process.WaitForExit();
    }

    public void Pause() => Signal.Send(process!.Id, Signal.Stop);

    public void Resume() => Signal.Send(process!.Id, Signal.Continue);

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (Runs)
            Kill();
        process?.Dispose();
        process = null;
    }

    /// <exception cref="ClusterException">The process has ended.</exception>
    internal void CheckRuns()
    {
        if (Runs)
            return;
        process!.WaitForExit(); // returns when all output has been read
        IReadOnlyList<string> lines = Log;
        string last = lines.Count == 0 ? "it wrote no log line" : lines[^1];
        throw new ClusterException($"member {Id} ended with exit code {process.ExitCode}: {last}")
        {
            IsUsage = process.ExitCode == UsageExitCode,
        };
    }

    private void OnExit(object? sender, EventArgs arguments)
    {
        if (process is not null)
            Signal.Send(process.Id, Signal.Kill);
    }

    private void Add(string? line)
    {
        if (line is null)
            return;
        Match match = BecameLeader.Match(line);
        if (match.Success)
        {
            long term = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            Volatile.Write(ref termLed, Math.Max(termLed, term));
        }
        lock (gate)
            log.Add(line);
    }
}
