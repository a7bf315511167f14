using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Torture;

/// <summary>
/// Reads and writes a few keys through random members, each request right after the answer to the last one, and records
/// the history.
/// </summary>
internal sealed class TortureClient : IDisposable
{
    private static int lastValue;

    private readonly int number;
    private readonly IReadOnlyList<ClusterNode> nodes;
    private readonly History history;
    private readonly int keys;
    private readonly Random random;
    private readonly MemberConnections connections;
    private readonly Thread thread;
    private volatile bool isStopping;
    private volatile string? violation;
    private int answered;

    public TortureClient(int number, IReadOnlyList<ClusterNode> nodes, History history, int keys)
    {
        this.number = number;
        this.nodes = nodes;
        this.history = history;
        this.keys = keys;
        random = new Random(number);
        connections = new MemberConnections(nodes);
        thread = new Thread(Run) { IsBackground = true, Name = $"torture {number}" };
        thread.Start();
    }

    /// <summary>First answer that no client may get, or null.</summary>
    public string? Violation => violation;

    public int Answered => Volatile.Read(ref answered);

    public void Dispose()
    {
        isStopping = true;
        thread.Join();
        connections.Dispose();
    }

    private void Run()
    {
        while (!isStopping && violation is null)
        {
            int key = random.Next(keys);
            int member = random.Next(nodes.Count);
            if (random.Next(2) == 0)
                Put(member, key, Interlocked.Increment(ref lastValue));
            else
                Get(member, key);
        }
    }

    private void Put(int member, int key, int value)
    {
        int operation = history.Invoke(Operation.Put(number, key, value));
        HttpAnswer? answer = TryExchange(
            member, "PUT", key, value.ToString(CultureInfo.InvariantCulture), out bool wasSent);
        switch (answer?.Status)
        {
            case 204:
                history.Succeed(operation);
                break;
            case 503 or 507:
            case null when !wasSent:
                history.Withdraw(operation);
                break;
            case 504 or null:
                break;
            default:
                violation = $"PUT was answered {answer!.Status} {answer.Text}";
                break;
        }
    }

    private void Get(int member, int key)
    {
        int operation = history.Invoke(Operation.Get(number, key));
        HttpAnswer? answer = TryExchange(member, "GET", key, "", out _);
        switch (answer?.Status)
        {
            case 200:
                history.Return(operation, int.Parse(answer.Text, CultureInfo.InvariantCulture));
                break;
            case 404:
                history.Return(operation, RegisterValue.Absent);
                break;
            case 503 or 504 or null:
                history.Withdraw(operation);
                break;
            default:
                violation = $"GET was answered {answer.Status} {answer.Text}";
                break;
        }
    }

    private HttpAnswer? TryExchange(int member, string method, int key, string body, out bool wasSent)
    {
        HttpAnswer? answer = connections.TryExchange(member, method, key, body, out wasSent);
        if (answer is not null)
            Interlocked.Increment(ref answered);
        return answer;
    }
}
