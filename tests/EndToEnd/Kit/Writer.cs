using System.Diagnostics;
using System.Net.Sockets;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// One client. Writes at a bounded rate, to one member after another, and records the outcome of each PUT. Every second
/// write overwrites one key with an increasing number. After an unknown outcome the client continues with a new key. An
/// older value of the old key could still replace a newer one, and a lost write would look like a late one.
/// </summary>
internal sealed class Writer : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(15);

    private readonly int number;
    private readonly IReadOnlyList<ClusterNode> nodes;
    private readonly HttpConnection?[] connections;
    private readonly Thread thread;
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<Write> writes = [];
    private readonly List<string> violations = [];
    private int overwrittenKey;
    private int acknowledged;
    private long lastAcknowledgedAt = Stopwatch.GetTimestamp();
    private TimeSpan longestGap;

    public Writer(int number, IReadOnlyList<ClusterNode> nodes)
    {
        this.number = number;
        this.nodes = nodes;
        connections = new HttpConnection?[nodes.Count];
        thread = new Thread(Run) { IsBackground = true, Name = $"writer {number}" };
        thread.Start();
    }

    public int Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>
    /// Longest time between two consecutive acknowledged writes. While the client runs, the last gap ends now.
    /// </summary>
    public TimeSpan LongestGap
    {
        get
        {
            lock (gate)
                return TimeSpan.FromTicks(Math.Max(
                    longestGap.Ticks, thread.IsAlive ? Stopwatch.GetElapsedTime(lastAcknowledgedAt).Ticks : 0));
        }
    }

    /// <summary>Answers that no client may get.</summary>
    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (gate)
                return [.. violations];
        }
    }

    /// <summary>Returns the writes with an outcome so far, in order, from <paramref name="first"/>.</summary>
    public IReadOnlyList<Write> WritesFrom(int first)
    {
        lock (gate)
            return writes[first..];
    }

    public void Stop()
    {
        stop.Cancel();
        thread.Join();
    }

    public void Dispose()
    {
        Stop();
        stop.Dispose();
        foreach (HttpConnection? connection in connections)
            connection?.Dispose();
    }

    private void Run()
    {
        try
        {
            for (int n = 0; !stop.IsCancellationRequested; n++)
            {
                Put(n);
                stop.Token.WaitHandle.WaitOne(Interval);
            }
        }
        catch (Exception failure) // an exception on this thread would end the whole run
        {
            Violate(failure.ToString());
        }
    }

    private void Put(int n)
    {
        bool isUnique = n % 2 == 0;
        string target = isUnique ? $"/unique/{number}/{n}" : $"/overwritten/{number}/{overwrittenKey}";
        string value = $"{number}.{n}";
        int member = (number + n) % nodes.Count;
        HttpAnswer? answer = Exchange(member, "PUT", target, value, out bool sent);
        WriteOutcome outcome = answer?.Status switch
        {
            204 => WriteOutcome.Acknowledged,
            503 => WriteOutcome.Refused,
            504 => WriteOutcome.Unknown,
            null => sent ? WriteOutcome.Unknown : WriteOutcome.Refused,
            _ => WriteOutcome.Unknown,
        };
        if (answer is { Status: not (204 or 503 or 504) })
            Violate($"PUT {target} was answered {answer.Status} {answer.Text}");
        lock (gate)
            writes.Add(new Write(target, value, outcome));
        if (outcome == WriteOutcome.Unknown && !isUnique)
            overwrittenKey++;
        if (outcome != WriteOutcome.Acknowledged)
            return;
        Interlocked.Increment(ref acknowledged);
        EndGap();
        ReadBack((member + 1) % nodes.Count, target, value);
    }

    /// <summary>
    /// Reads the value just acknowledged. No other client writes this key, so any other value is a violation.
    /// </summary>
    private void ReadBack(int member, string target, string value)
    {
        HttpAnswer? answer = Exchange(member, "GET", target, "", out _);
        if (answer is null or { Status: 503 or 504 })
            return;
        if (answer.Status != 200 || answer.Text != value)
            Violate(
                $"GET {target} on member {nodes[member].Id} right after 204 to {value}: {answer.Status} {answer.Text}");
    }

    private void EndGap()
    {
        lock (gate)
        {
            TimeSpan gap = Stopwatch.GetElapsedTime(lastAcknowledgedAt);
            lastAcknowledgedAt = Stopwatch.GetTimestamp();
            longestGap = gap > longestGap ? gap : longestGap;
        }
    }

    private HttpAnswer? Exchange(int member, string method, string target, string body, out bool sent)
    {
        sent = false;
        long start = Environment.TickCount64;
        try
        {
            HttpConnection connection = connections[member] ??= HttpConnection.Open(nodes[member].HttpPort);
            sent = true;
            return connection.Exchange(method, target, System.Text.Encoding.UTF8.GetBytes(body));
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            connections[member]?.Dispose();
            connections[member] = null;
            if (Environment.TickCount64 - start >= HttpConnection.AnswerTimeout.TotalMilliseconds)
                Violate($"{method} {target} hangs on member {nodes[member].Id}");
            return null;
        }
    }

    private void Violate(string what)
    {
        lock (gate)
            violations.Add(what);
    }
}

internal sealed record Write(string Target, string Value, WriteOutcome Outcome);

internal enum WriteOutcome
{
    /// <summary>204: the write is permanent.</summary>
    Acknowledged,

    /// <summary>503, or never sent: the write did not happen and never will.</summary>
    Refused,

    /// <summary>504, or no answer: the write may have happened, or may happen later.</summary>
    Unknown,
}
