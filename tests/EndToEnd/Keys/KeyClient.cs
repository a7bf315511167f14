using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Keys;

/// <summary>
/// Reads, creates, compares and sets, deletes and lets expire a few keys through random members, and records the
/// history. Some requests have an idempotency key; the client repeats these at other members until it knows their
/// outcome. Some connections are broken while a request is under way.
/// </summary>
internal sealed class KeyClient : IDisposable
{
    public const int Kinds = 8;

    private const int AttemptsMax = 12;

    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(2);

    private static int lastValue;

    private readonly int number;
    private readonly IReadOnlyList<ClusterNode> nodes;
    private readonly History history;
    private readonly ExpiryRecorder expiries;
    private readonly Random random;
    private readonly MemberConnections connections;
    private readonly (int Value, long Tag)[] seen;
    private readonly Thread thread;
    private int requests;
    private volatile bool isStopping;
    private volatile string? violation;

    public KeyClient(
        int number, IReadOnlyList<ClusterNode> nodes, History history, ExpiryRecorder expiries, int keys, int seed)
    {
        this.number = number;
        this.nodes = nodes;
        this.history = history;
        this.expiries = expiries;
        random = new Random(seed);
        connections = new MemberConnections(nodes);
        seen = new (int, long)[keys];
        thread = new Thread(Run) { IsBackground = true, Name = $"keys {number}" };
        thread.Start();
    }

    /// <summary>Number of events of each kind; see <see cref="Describe"/>.</summary>
    public int[] Met { get; } = new int[Kinds];

    /// <summary>First answer that no client may get, or null.</summary>
    public string? Violation => violation;

    public static string Describe(int[] met) =>
        $"{met[0]} reads, {met[1]} puts, {met[2]} creations, {met[3]} sets, {met[4]} deletions, "
        + $"{met[5]} failed conditions, {met[6]} retries with an outcome, {met[7]} absent after a time to live";

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
            int key = random.Next(seen.Length);
            int value = Interlocked.Increment(ref lastValue);
            (int known, long tag) = seen[key];
            string ifMatch = $"If-Match: \"{tag}\"";
            switch (random.Next(20))
            {
                case < 2:
                    Write(Operation.Put(number, key, value), "PUT", value, 1);
                    break;
                case < 3:
                    expiries.Add(number, key, value);
                    Write(
                        Operation.Put(number, key, value), "PUT", value, 1,
                        $"RaftFast-TTL: {TimeToLive.TotalSeconds}");
                    break;
                case < 6:
                    Write(
                        Operation.CompareAndSet(number, key, RegisterValue.Absent, value), "PUT", value, 2,
                        "If-None-Match: *");
                    break;
                case < 11 when tag > 0:
                    Write(Operation.CompareAndSet(number, key, known, value), "PUT", value, 3, ifMatch);
                    break;
                case < 13 when tag > 0:
                    Write(
                        Operation.CompareAndSet(number, key, known, RegisterValue.Absent), "DELETE", value, 4, ifMatch);
                    break;
                default:
                    Read(key);
                    break;
            }
        }
    }

    /// <param name="kind">Place in <see cref="Met"/> for a success.</param>
    private void Write(Operation write, string method, int value, int kind, params string[] fields)
    {
        bool isIdempotent = random.Next(3) == 0;
        if (isIdempotent)
            fields = [.. fields, $"Idempotency-Key: \"{number}-{++requests}-{value}\""];
        string body = method == "PUT" ? value.ToString(CultureInfo.InvariantCulture) : "";
        int operation = history.Invoke(write);
        bool mayHaveHappened = false;
        for (int attempt = 0; attempt < (isIdempotent ? AttemptsMax : 1) && !isStopping; attempt++)
        {
            HttpAnswer? answer = TryExchange(method, write.Key, body, out bool wasSent, fields);
            switch (answer?.Status)
            {
                case 204:
                    history.Succeed(operation, method == "PUT" ? answer.Tag : 0);
                    seen[write.Key] = method == "PUT" ? (value, answer.Tag) : default;
                    Met[kind]++;
                    Met[6] += attempt > 0 ? 1 : 0;
                    return;
                case 412 when write.Kind == OperationKind.CompareAndSet:
                    history.Mismatch(operation, answer.Tag);
                    seen[write.Key] = default;
                    Met[5]++;
                    return;
                case 503 or 507:
                case null when !wasSent:
                    break;
                case 504 or null:
                    mayHaveHappened = true;
                    break;
                default:
                    violation = $"{method} was answered {answer!.Status} {answer.Text}";
                    return;
            }
        }
        if (!mayHaveHappened)
            history.Withdraw(operation);
    }

    private void Read(int key)
    {
        int operation = history.Invoke(Operation.Get(number, key));
        HttpAnswer? answer = TryExchange("GET", key, "", out _);
        switch (answer?.Status)
        {
            case 200:
                int value = int.Parse(answer.Text, CultureInfo.InvariantCulture);
                history.Return(operation, value, answer.Tag);
                seen[key] = (value, answer.Tag);
                Met[0]++;
                break;
            case 404:
                history.Return(operation, RegisterValue.Absent);
                Met[7]++;
                seen[key] = default;
                break;
            case 503 or 504 or null:
                history.Withdraw(operation);
                break;
            default:
                violation = $"GET was answered {answer.Status} {answer.Text}";
                break;
        }
    }

    private HttpAnswer? TryExchange(
        string method, int key, string body, out bool wasSent, params ReadOnlySpan<string> fields) =>
        connections.TryExchange(
            random.Next(nodes.Count), method, key, body, out wasSent, breaks: random.Next(50) == 0, fields);
}
