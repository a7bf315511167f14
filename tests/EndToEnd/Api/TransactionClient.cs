using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>
/// Sends transactions and GETs on a few keys through random members, and records the history. A transaction with an
/// idempotency key is repeated at other members until its outcome is known. Some connections are broken while a request
/// is under way.
/// </summary>
internal sealed class TransactionClient : IDisposable
{
    public const int Keys = 6;

    private const int Prefixes = 2;
    private const int AttemptsMax = 12;

    /// <inheritdoc cref="MemberConnections"/>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static int lastValue;

    private readonly int number;
    private readonly IReadOnlyList<ClusterNode> nodes;
    private readonly TransactionHistory history;
    private readonly Random random;
    private readonly KeyState?[] known = new KeyState?[Keys];
    private readonly Thread thread;
    private volatile bool isStopping;
    private volatile string? violation;

    public TransactionClient(int number, IReadOnlyList<ClusterNode> nodes, TransactionHistory history, int seed)
    {
        this.number = number;
        this.nodes = nodes;
        this.history = history;
        random = new Random(seed);
        thread = new Thread(Run) { IsBackground = true, Name = $"transactions {number}" };
        thread.Start();
    }

    /// <summary>Numbers of transactions done, failed and repeated, and of GETs.</summary>
    public int[] Met { get; } = new int[4];

    /// <summary>First answer that no client may get, or null.</summary>
    public string? Violation => violation;

    public static string NameOf(int key) => $"/t/{key % Prefixes}/{key}";

    public void Dispose()
    {
        isStopping = true;
        thread.Join();
    }

    private void Run()
    {
        while (!isStopping && violation is null)
        {
            if (random.Next(3) == 0)
                Read(random.Next(Keys));
            else
                Change();
        }
    }

    private void Read(int key)
    {
        int operation = history.Invoke(new TransactionOperation(number));
        HttpAnswer? answer = TryExchange(node => node.HttpPort, "GET", NameOf(key), "", out _);
        if (answer is { Status: 200 or 404 })
        {
            KeyState read = answer.Status == 404
                ? new KeyState(key, 0, RegisterValue.Absent)
                : new KeyState(key, answer.Tag, int.Parse(answer.Text, CultureInfo.InvariantCulture));
            known[key] = read;
            history.Succeed(operation, 0, read);
            Met[3]++;
            return;
        }
        history.Withdraw(operation);
        if (answer is not (null or { Status: 503 or 504 }))
            violation = $"GET was answered {answer.Status} {answer.Text}";
    }

    private void Change()
    {
        int prefix = random.Next(6);
        List<TransactionCondition> conditions = [];
        List<TransactionWrite> writes = [];
        List<int> gets = [];
        List<string> operations = prefix < Prefixes ? [$$"""{"deletePrefix":"/t/{{prefix}}/"}"""] : [];
        for (int key = 0; key < Keys; key++)
        {
            if (random.Next(5) == 0)
                conditions.Add(Condition(key));
            int kind = random.Next(10);
            if (key % Prefixes == prefix || kind == 0)
                writes.Add(new TransactionWrite(key, RegisterValue.Absent));
            if (key % Prefixes == prefix || kind > 5)
                continue;
            if (kind == 0)
                operations.Add($$"""{"delete":"{{NameOf(key)}}"}""");
            else if (kind < 4)
            {
                int value = Interlocked.Increment(ref lastValue);
                writes.Add(new TransactionWrite(key, value));
                operations.Add($$"""{"put":"{{NameOf(key)}}","text":"{{value}}"}""");
            }
            else
            {
                gets.Add(key);
                operations.Add($$"""{"get":"{{NameOf(key)}}"}""");
            }
        }
        if (operations.Count == 0)
            return;
        string all = string.Join(',', operations);
        string body = $$"""{"conditions":[{{string.Join(',', conditions.Select(Encode))}}],"operations":[{{all}}]}""";
        // A deletion with an unknown outcome hides later mistakes.
        bool isRepeated = random.Next(3) == 0 || writes.Exists(write => write.Value == RegisterValue.Absent);
        Send(new TransactionOperation(number) { Conditions = conditions, Writes = writes }, gets, body, isRepeated);
    }

    private TransactionCondition Condition(int key)
    {
        if (known[key] is { Tag: > 0 } state && random.Next(3) > 0)
            return new TransactionCondition(key, ConditionKind.HasTag, state.Tag);
        bool mayExist = known[key] is not { Tag: 0 };
        return new TransactionCondition(key, mayExist ? ConditionKind.Exists : ConditionKind.Absent);
    }

    private static string Encode(TransactionCondition condition)
    {
        string holds = condition.Kind switch
        {
            ConditionKind.Exists => "\"exists\":true",
            ConditionKind.Absent => "\"exists\":false",
            _ => $"\"tag\":\"{condition.Tag}\"",
        };
        return $$"""{"key":"{{NameOf(condition.Key)}}",{{holds}}}""";
    }

    private void Send(TransactionOperation transaction, List<int> gets, string body, bool isRepeated)
    {
        string[] fields = isRepeated ? [$"Idempotency-Key: \"{Interlocked.Increment(ref lastValue)}\""] : [];
        int operation = history.Invoke(transaction);
        bool mayHaveHappened = false;
        for (int attempt = 0; attempt < (isRepeated ? AttemptsMax : 1) && !isStopping; attempt++)
        {
            HttpAnswer? answer = TryExchange(node => node.ApiPort, "POST", "/v1/txn", body, out bool wasSent, fields);
            switch (answer?.Status)
            {
                case 200:
                    TakeDone(operation, transaction, gets, answer);
                    return;
                case 412:
                    TakeFailed(operation, transaction, answer);
                    return;
                case 503 or 507:
                case null when !wasSent:
                    break;
                case 504 or null:
                    mayHaveHappened = true;
                    break;
                default:
                    violation = $"a transaction was answered {answer!.Status} {answer.Text}";
                    return;
            }
        }
        if (!mayHaveHappened)
            history.Withdraw(operation);
        foreach (TransactionWrite write in transaction.Writes)
            known[write.Key] = null;
    }

    private void TakeDone(int operation, TransactionOperation transaction, List<int> gets, HttpAnswer answer)
    {
        using JsonDocument json = JsonDocument.Parse(answer.Body);
        long index = json.RootElement.GetProperty("index").GetInt64();
        List<KeyState> reads = [];
        if (json.RootElement.GetProperty("repeated").GetBoolean())
            Met[2]++;
        else
        {
            foreach (JsonElement read in json.RootElement.GetProperty("gets").EnumerateArray())
                reads.Add(StateIn(read, gets[reads.Count]));
            if (reads.Count != gets.Count)
                violation = $"a transaction with {gets.Count} reads is answered {answer.Text}";
        }
        history.Succeed(operation, index, reads);
        foreach (KeyState read in reads)
            known[read.Key] = read;
        foreach (TransactionWrite write in transaction.Writes)
            known[write.Key] = new KeyState(write.Key, write.Value == RegisterValue.Absent ? 0 : index, write.Value);
        Met[0]++;
    }

    private static KeyState StateIn(JsonElement read, int key)
    {
        Assert.Equal(NameOf(key), read.GetProperty("key").GetString());
        if (read.GetProperty("tag").GetString() is not { } tag)
            return new KeyState(key, 0, RegisterValue.Absent);
        string value = Encoding.ASCII.GetString(read.GetProperty("value").GetBytesFromBase64());
        return new KeyState(
            key, long.Parse(tag, CultureInfo.InvariantCulture), int.Parse(value, CultureInfo.InvariantCulture));
    }

    private void TakeFailed(int operation, TransactionOperation transaction, HttpAnswer answer)
    {
        using JsonDocument json = JsonDocument.Parse(answer.Body);
        int part = json.RootElement.GetProperty("part").GetInt32();
        history.Mismatch(operation, json.RootElement.GetProperty("index").GetInt64(), part);
        known[transaction.Conditions[part].Key] = null;
        Met[1]++;
    }

    private HttpAnswer? TryExchange(
        Func<ClusterNode, int> port, string method, string target, string body, out bool wasSent,
        params ReadOnlySpan<string> fields)
    {
        wasSent = false;
        try
        {
            using HttpConnection connection = HttpConnection.Open(port(nodes[random.Next(nodes.Count)]), Patience);
            wasSent = true;
            connection.Send(method, target, Encoding.ASCII.GetBytes(body), fields);
            return random.Next(50) == 0 ? null : connection.Receive();
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            return null;
        }
    }
}
