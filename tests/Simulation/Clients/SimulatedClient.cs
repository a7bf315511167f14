using System.Text;
using RaftFast.Http;
using RaftFast.Linearizability;
using RaftFast.Protocol;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Clients;

/// <summary>
/// A client that sends one request at a time to any server and records each answer in the history. A request with an
/// idempotency key whose outcome is unknown is sent again, until an answer tells the outcome.
/// </summary>
/// <param name="drawn">Draws the requests other than plain GETs and PUTs.</param>
internal sealed class SimulatedClient(Cluster cluster, int number, SeededRandom random, SeededRandom drawn)
    : IRequestOwner
{
    /// <summary>Number of keys that have names.</summary>
    public const int KeysMax = 16;

    /// <summary>
    /// Attempts after which the client gives up, and the outcome stays unknown. If the leader has never met a lost
    /// member, the cluster may refuse commands of kind 2 for ever. In a cluster without room an attempt takes up to
    /// five seconds, and the client must read within a minute.
    /// </summary>
    private const int AttemptsMax = 8;

    private readonly byte[] value = new byte[8192];
    private readonly KnownKeys known = new(cluster, drawn);
    private readonly WaitJudge wait = new(cluster);

    private ClientRequest? request;
    private SimulatedServer? server;
    private int incarnation;
    private int operation;
    private KeyRequest asked;
    private int attempts;

    /// <summary>Time at which the present attempt was sent.</summary>
    private long sent;

    /// <summary>True if an attempt at the present request may have taken effect.</summary>
    private bool isUncertain;

    private static readonly byte[][] Keys =
        [.. Enumerable.Range(0, KeysMax).Select(key => Encoding.ASCII.GetBytes($"/{key}"))];

    public bool IsWaiting => request is not null || IsRetrying;

    /// <summary>True while the client has a request to send again.</summary>
    public bool IsRetrying { get; private set; }

    public static byte[] KeyBytes(int key) => Keys[key];

    /// <summary>True if the client stops after its present request.</summary>
    public bool IsRetired { get; set; }

    public bool MarkForResume() => request is not null;

    /// <summary>Takes the answer.</summary>
    public void Resume()
    {
        int status = request!.Status;
        cluster.Expiries.Advance();
        bool isKnown = status switch
        {
            200 or 304 or 404 => TakeRead(status),
            204 => TakeDone(),
            412 => TakeMismatch(),
            422 => TakeReuse(),
            504 => false,
            _ => TakeRefusal(status),
        };
        cluster.OnAnswered(status, server!);
        if (isKnown)
            Finish();
        else
            StayUnknown();
    }

    public void Think()
    {
        request = null;
        if (!IsRetired || IsRetrying)
        {
            long delay = random.Between(1, cluster.Scenario.ThinkMax);
            cluster.Events.Schedule(delay, new Event(EventKind.ClientThinks, number, 0, 0));
        }
    }

    /// <summary>Sends a drawn request, or the last request again.</summary>
    public void Ask(SimulatedServer target, int key, bool put)
    {
        cluster.Expiries.Advance();
        if (!IsRetrying)
            Begin(Draw(key, put));
        Send(target);
    }

    /// <summary>Sends this request.</summary>
    public void Ask(SimulatedServer target, in KeyRequest planned)
    {
        cluster.Expiries.Advance();
        Begin(planned);
        Send(target);
    }

    private void Send(SimulatedServer target)
    {
        IsRetrying = false;
        attempts++;
        sent = cluster.Events.Now;
        server = target;
        incarnation = target.Incarnation;
        request = asked.ToRequest(this, KeyBytes(asked.Key), asked.IsWrite ? ValueOf(asked) : default);
        wait.Begin(asked, KeyBytes(asked.Key));
        target.Deliver(new Input(InputKind.Request) { Request = request });
    }

    /// <summary>Called when a server has processed a batch of inputs.</summary>
    public void OnStepped(SimulatedServer stepped)
    {
        if (request is not null && asked.Kind == KeyRequestKind.Wait && stepped == server)
            wait.OnStepped(stepped);
    }

    /// <summary>
    /// Ends a request whose server died. The outcome of a write is unknown, and a read is withdrawn from the history.
    /// </summary>
    public void OnDied(SimulatedServer dead)
    {
        if (request is null || dead != server || dead.Incarnation == incarnation)
            return;
        if (asked.IsWrite)
        {
            StayUnknown();
            return;
        }
        if (asked.IsInHistory)
            cluster.History.Withdraw(operation);
        Finish();
    }

    private KeyRequest Draw(int key, bool put)
    {
        KeyRequest request = new(KeyRequestKind.Get, key);
        if (drawn.Next(100) < cluster.Scenario.ConditionalPercent)
            request = known.Draw(key);
        else if (put)
            request = new KeyRequest(KeyRequestKind.Put, key) { Value = cluster.NextValue() };
        return request is { Value: > 0, Count: 0 }
            ? request with { Length = (int)random.Between(sizeof(int), cluster.Scenario.ValueBytesMax) }
            : request;
    }

    private void Begin(in KeyRequest request)
    {
        attempts = 0;
        isUncertain = false;
        asked = request;
        if (asked.IsInHistory)
            operation = cluster.History.Invoke(asked.ToOperation(number));
        if (asked.TimeToLive > 0 && asked.IsInHistory)
            cluster.Expiries.Add(asked.Key, asked.Value, asked.TimeToLive);
    }

    private bool TakeRead(int status)
    {
        Must(!asked.IsWrite && (status != 304 || asked.Tag != 0), $"a {asked.Kind} is answered {status}");
        int read = status == 404 ? RegisterValue.Absent : status == 304 ? asked.Expected : ValueIn(request!.Answer);
        Must(status != 304 || request!.Tag == asked.Tag, "a 304 has another tag than the request");
        if (asked.IsInHistory)
        {
            int count = status == 200 && asked.Key == KnownKeys.Counter ? CountIn(request!.Answer) : 0;
            known.Learn(asked.Key, read, request!.Tag, count);
            cluster.History.Return(operation, read, request.Tag);
            if (asked.Kind == KeyRequestKind.Wait)
                wait.Count(status);
        }
        else
        {
            cluster.States.JudgeStale(server!, asked, sent, read, request!.Tag, request.Age);
        }
        cluster.Counters[Counter.ReadsServed]++;
        return true;
    }

    private bool TakeDone()
    {
        Must(
            asked.IsWrite && !asked.ReusesToken,
            "a GET, or a request under another request's idempotency key, is answered 204");
        cluster.History.Succeed(operation, request!.Tag);
        if (asked.Kind == KeyRequestKind.Delete)
            known.Learn(asked.Key, RegisterValue.Absent, 0, 0);
        else
            known.Learn(asked.Key, asked.Value, request.Tag, asked.Count);
        if (asked.Token != 0)
            known.Used(asked.Token);
        cluster.Counters[Counter.WritesAcknowledged]++;
        cluster.Counters[Counter.KeysDeleted] += asked.Kind == KeyRequestKind.Delete ? 1 : 0;
        cluster.Counters[Counter.RetriesAnswered] += attempts > 1 ? 1 : 0;
        cluster.Count.Succeeded += asked.Count > 0 ? 1 : 0;
        return true;
    }

    private bool TakeMismatch()
    {
        Must(asked.IsWrite && !asked.ReusesToken, $"a {asked.Kind} is answered 412");
        cluster.History.Mismatch(operation, request!.Tag);
        known.Forget(asked.Key);
        cluster.Counters[Counter.ConditionsFailed]++;
        return true;
    }

    private bool TakeReuse()
    {
        Must(asked.ReusesToken, "an idempotency key that no other request had is answered 422");
        cluster.Counters[Counter.ReusedKeysRefused]++;
        return true;
    }

    private bool TakeRefusal(int status)
    {
        Invariant.Hold(status is 503 or 507);
        cluster.Counters[asked.IsWrite ? Counter.WritesRefused : Counter.ReadsRefused]++;
        cluster.Counters[Counter.StaleReadsRefused] += asked.Kind == KeyRequestKind.Stale ? 1 : 0;
        if (isUncertain)
            return false;
        if (asked.IsInHistory)
            cluster.History.Withdraw(operation);
        return true;
    }

    private void StayUnknown()
    {
        cluster.Counters[Counter.OutcomesUnknown]++;
        isUncertain = true;
        IsRetrying = known.MayRetry(asked) && attempts < AttemptsMax;
        if (IsRetrying)
        {
            Think();
            return;
        }
        cluster.Count.Unknown += asked.Count > 0 ? 1 : 0;
        if (asked.IsWrite)
            known.Forget(asked.Key);
        Finish();
    }

    private void Finish()
    {
        asked = default;
        Think();
    }

    private void Must(bool property, string otherwise)
    {
        if (!property)
            throw new InvariantException($"client {number}: {otherwise} by server {server!.Number + 1}");
    }

    private ReadOnlySpan<byte> ValueOf(in KeyRequest written)
    {
        int length = written.Count == 0 ? written.Length : 2 * sizeof(int);
        // The filling is not zero, and differs from that of the 254 values before. So a part that did not reach the
        // disk is noticed.
        value.AsSpan(0, length).Fill((byte)(written.Value % 255 + 1));
        BitConverter.TryWriteBytes(value, written.Value);
        if (written.Count != 0)
            BitConverter.TryWriteBytes(value.AsSpan(sizeof(int)), written.Count);
        return value.AsSpan(0, length);
    }

    private static int ValueIn(ReadOnlySpan<byte> answer) => BitConverter.ToInt32(answer);

    /// <summary>Value of the counter in the bytes of its key.</summary>
    public static int CountIn(ReadOnlySpan<byte> answer) => BitConverter.ToInt32(answer[sizeof(int)..]);
}
