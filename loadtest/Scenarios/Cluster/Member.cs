using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>One server of a cluster: its ports and data stay, its process comes and goes, and doesn't survive this object.</summary>
public sealed class Member : IDisposable
{
    /// <summary>sysexits apart, what raftfast says to a wrong flag.</summary>
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

    /// <summary>Where clients connect.</summary>
    public IPEndPoint Http { get; }

    /// <summary>What all its runs have written to stderr so far.</summary>
    public IReadOnlyList<string> Log
    {
        get
        {
            lock (gate)
                return [.. log];
        }
    }

    /// <summary>The highest term in which it became leader, or 0.</summary>
    internal long TermLed => Volatile.Read(ref termLed);

    internal bool Runs => process is { HasExited: false };

    /// <exception cref="ClusterException">There is no such program.</exception>
    public void Start()
    {
        ProcessStartInfo start = new(binary, arguments) { RedirectStandardError = true };
        // The generator's own tuning: the server is to be as it is for anybody.
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

    /// <summary>kill -9; returns when it has ended.</summary>
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

    /// <exception cref="ClusterException">It has ended.</exception>
    internal void CheckRuns()
    {
        if (Runs)
            return;
        process!.WaitForExit(); // until its output has been read to the end
        IReadOnlyList<string> lines = Log;
        string last = lines.Count == 0 ? "it said nothing" : lines[^1];
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
            Volatile.Write(ref termLed, Math.Max(termLed, long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)));
        lock (gate)
            log.Add(line);
    }
}
