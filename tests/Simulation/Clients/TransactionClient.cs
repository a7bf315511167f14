using RaftFast.Http;
using RaftFast.Linearizability;
using RaftFast.Protocol;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Clients;

/// <summary>
/// A client that sends transactions, and GETs and PUTs of the same keys, to any server, one at a time. A transaction
/// with an idempotency key whose outcome is unknown is sent again.
/// </summary>
internal sealed class TransactionClient(Cluster cluster, int number, SeededRandom random) : IRequestOwner
{
    /// <summary>Attempts after which the client gives up, as in <see cref="SimulatedClient"/>.</summary>
    private const int AttemptsMax = 8;

    private readonly TransactionDraw draw = new(cluster, random);
    private readonly WaitJudge wait = new(cluster);

    private ClientRequest? request;
    private SimulatedServer? server;
    private int incarnation;
    private int operation;

    /// <summary>The transaction that was sent, or null.</summary>
    private TransactionPlan? plan;
    private TransactionAnswer? answer;

    /// <summary>The GET or PUT that was sent, if no transaction was.</summary>
    private KeyRequest single;
    private int attempts;
    private bool isUncertain;
    private bool isRetrying;

    public bool IsWaiting => request is not null || isRetrying;

    /// <inheritdoc cref="SimulatedClient.IsRetired"/>
    public bool IsRetired { get; set; }

    private bool IsRead => plan is null && !single.IsWrite;

    public bool MarkForResume() => request is not null;

    public void Think()
    {
        request = null;
        if (!IsRetired || isRetrying)
        {
            long delay = random.Between(1, cluster.Scenario.ThinkMax);
            cluster.Events.Schedule(delay, new Event(EventKind.ClientThinks, number, 0, 0));
        }
    }

    /// <summary>Sends a request to a random server, if clients may ask this server.</summary>
    public void Ask(Nemesis nemesis)
    {
        SimulatedServer target = cluster.Servers[random.Next(cluster.Servers.Count)];
        if ((IsRetired && !isRetrying) || !target.IsUp || !nemesis.MayAsk(target))
        {
            Think();
            return;
        }
        cluster.TransactionExpiries.Advance();
        if (!isRetrying)
            Begin();
        isRetrying = false;
        attempts++;
        server = target;
        incarnation = target.Incarnation;
        byte[] key = TransactionKeys.BytesOf(single.Key);
        request = plan is null
            ? single.ToRequest(this, key, single.IsWrite ? TransactionKeys.BytesOfValue(single.Value) : default)
            : plan.ToRequest(this, random.NextUInt64(), out answer);
        wait.Begin(single, key);
        target.Deliver(new Input(InputKind.Request) { Request = request });
    }

    /// <inheritdoc cref="SimulatedClient.OnStepped"/>
    public void OnStepped(SimulatedServer stepped)
    {
        if (request is not null && plan is null && single.Kind == KeyRequestKind.Wait && stepped == server)
            wait.OnStepped(stepped);
    }

    /// <inheritdoc cref="SimulatedClient.OnDied"/>
    public void OnDied(SimulatedServer dead)
    {
        if (request is null || dead != server || dead.Incarnation == incarnation)
            return;
        if (!IsRead)
        {
            StayUnknown();
            return;
        }
        cluster.Transactions.Withdraw(operation);
        Think();
    }

    /// <summary>Takes the answer.</summary>
    public void Resume()
    {
        int status = request!.Status;
        cluster.TransactionExpiries.Advance();
        cluster.OnAnswered(status, server!);
        switch (status)
        {
            case 200 or 304 or 404:
                Must(IsRead, $"a write is answered {status}");
                TakeRead(status);
                break;
            case 204 when plan is not null:
                TakeTransaction();
                break;
            case 204:
                Must(!IsRead, "a GET is answered 204");
                cluster.Transactions.Succeed(operation, request.Tag);
                draw.Learn(new KeyState(single.Key, request.Tag, single.Value));
                cluster.Counters[Counter.WritesAcknowledged]++;
                break;
            case 412:
                Must(plan is not null, "a request without conditions is answered 412");
                cluster.Transactions.Mismatch(operation, answer!.Index, answer.Part);
                draw.Forget(plan!.Conditions[answer.Part].Key);
                cluster.Counters[Counter.TransactionsFailed]++;
                break;
            case 504:
                StayUnknown();
                return;
            default:
                Must(status is 503 or 507, $"a request is answered {status}");
                if (isUncertain)
                {
                    StayUnknown();
                    return;
                }
                cluster.Transactions.Withdraw(operation);
                break;
        }
        Think();
    }

    private void Begin()
    {
        attempts = 0;
        isUncertain = false;
        plan = null;
        single = default;
        if (random.Next(10) < 6)
        {
            plan = draw.Draw();
            operation = cluster.Transactions.Invoke(plan.ToOperation(number));
            foreach (TransactionWrite write in plan.Writes)
            {
                if (plan.TimeToLive > 0 && write.Value != RegisterValue.Absent)
                    cluster.TransactionExpiries.Add(write.Key, write.Value, plan.TimeToLive);
            }
            return;
        }
        single = DrawSingle(random.Next(TransactionKeys.Count));
        TransactionOperation asked = new(number);
        operation = cluster.Transactions.Invoke(
            single.IsWrite ? asked with { Writes = [new TransactionWrite(single.Key, single.Value)] } : asked);
    }

    private KeyRequest DrawSingle(int key)
    {
        KeyState? known = draw[key];
        switch (random.Next(8))
        {
            case 0:
                return new KeyRequest(KeyRequestKind.Put, key) { Value = cluster.NextValue() };
            case 1 or 2 when known is { } state:
                return new KeyRequest(KeyRequestKind.Wait, key)
                {
                    Wait = (int)random.Between(1, 3),
                    Tag = state.Tag,
                    Expected = state.Value,
                };
            default:
                return new KeyRequest(KeyRequestKind.Get, key);
        }
    }

    private void TakeRead(int status)
    {
        KeyState read = status switch
        {
            404 => TransactionKeys.StateOf(single.Key, 0, default),
            304 => new KeyState(single.Key, single.Tag, single.Expected),
            _ => TransactionKeys.StateOf(single.Key, request!.Tag, request.Answer),
        };
        Must(status != 304 || request!.Tag == single.Tag, "a 304 has another tag than the request");
        if (single.Kind == KeyRequestKind.Wait && read.Tag != single.Tag)
            cluster.Counters[Counter.TransactionWaitsWoken]++;
        draw.Learn(read);
        cluster.Transactions.Succeed(operation, 0, read);
        cluster.Counters[Counter.ReadsServed]++;
    }

    private void TakeTransaction()
    {
        TransactionAnswer done = answer!;
        int count = done.IsRepeated ? 0 : plan!.Gets.Count;
        Must(done.Reads.Count == count, $"a transaction has {done.Reads.Count} reads in place of {count}");
        Must(!done.IsRepeated || attempts > 1, "a transaction that was sent once has a repeated outcome");
        KeyState[] reads = new KeyState[count];
        for (int i = 0; i < count; i++)
        {
            reads[i] = TransactionKeys.StateOf(plan!.Gets[i], done.Reads[i].Tag, done.Reads[i].Value.Span);
            draw.Learn(reads[i]);
        }
        cluster.Transactions.Succeed(operation, done.Index, reads);
        foreach (TransactionWrite write in plan!.Writes)
            draw.Learn(new KeyState(write.Key, write.Value == RegisterValue.Absent ? 0 : done.Index, write.Value));
        cluster.Counters[Counter.WritesAcknowledged]++;
        cluster.Counters[Counter.TransactionsDone]++;
        cluster.Counters[Counter.TransactionsRepeated] += done.IsRepeated ? 1 : 0;
        cluster.Counters[Counter.TransactionReads] += count;
    }

    private void StayUnknown()
    {
        isUncertain = true;
        cluster.Counters[Counter.TransactionsUnknown]++;
        // A retry is safe only if outcomes are remembered longer than any history takes.
        isRetrying = plan is { Token: not 0 } && cluster.Scenario.IdempotencyWindow >= 60_000 && attempts < AttemptsMax;
        foreach (TransactionWrite write in plan?.Writes ?? [])
            draw.Forget(write.Key);
        Think();
    }

    private void Must(bool property, string otherwise)
    {
        if (!property)
            throw new InvariantException($"client {number}: {otherwise} by server {server!.Number + 1}");
    }
}
