using System.Text;
using RaftFast.Http;
using RaftFast.Linearizability;
using RaftFast.Protocol;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Clients;

/// <summary>A client that sends one request at a time to any server and records each answer in the history.</summary>
internal sealed class SimulatedClient(Cluster cluster, int number, SeededRandom random) : IRequestOwner
{
    private readonly byte[] value = new byte[8192];

    private ClientRequest? request;
    private SimulatedServer? server;
    private int incarnation;
    private int operation;
    private bool isPut;

    private static readonly byte[][] Keys =
        [.. Enumerable.Range(0, 16).Select(key => Encoding.ASCII.GetBytes($"/{key}"))];

    public bool IsWaiting => request is not null;

    public static byte[] KeyBytes(int key) => Keys[key];

    /// <summary>True if the client stops after its present request.</summary>
    public bool IsRetired { get; set; }

    public bool MarkForResume() => request is not null;

    /// <summary>Takes the answer.</summary>
    public void Resume()
    {
        int status = request!.Status;
        History history = cluster.History;
        switch (status)
        {
            case 204:
                history.Succeed(operation);
                cluster.Counters[Counter.WritesAcknowledged]++;
                break;
            case 200:
                history.Return(operation, ValueIn(request.Answer));
                cluster.Counters[Counter.ReadsServed]++;
                break;
            case 404:
                history.Return(operation, RegisterValue.Absent);
                cluster.Counters[Counter.ReadsServed]++;
                break;
            case 504:
                cluster.Counters[Counter.OutcomesUnknown]++;
                break;
            default:
                Invariant.Hold(status is 503 or 507);
                history.Withdraw(operation);
                cluster.Counters[isPut ? Counter.WritesRefused : Counter.ReadsRefused]++;
                break;
        }
        cluster.OnAnswered(status, server!);
        Think();
    }

    public void Think()
    {
        request = null;
        if (!IsRetired)
        {
            long delay = random.Between(1, cluster.Scenario.ThinkMax);
            cluster.Events.Schedule(delay, new Event(EventKind.ClientThinks, number, 0, 0));
        }
    }

    public void Ask(SimulatedServer target, int key, bool put)
    {
        server = target;
        incarnation = target.Incarnation;
        isPut = put;
        request = new ClientRequest(this);
        request.Begin();
        byte[] keyBytes = KeyBytes(key);
        if (put)
        {
            int written = cluster.NextValue();
            ReadOnlySpan<byte> value = ValueOf(written);
            request.BeginPut(keyBytes, value.Length);
            request.AppendBody(value);
            request.EndBody();
            operation = cluster.History.Invoke(Operation.Put(number, key, written));
        }
        else
        {
            request.BeginGet(keyBytes);
            operation = cluster.History.Invoke(Operation.Get(number, key));
        }
        target.Deliver(new Input(InputKind.Request) { Request = request });
    }

    /// <summary>Ends a request whose server died: a write's outcome stays open, and a read has none.</summary>
    public void OnDied(SimulatedServer dead)
    {
        if (request is null || dead != server || dead.Incarnation == incarnation)
            return;
        if (isPut)
            cluster.Counters[Counter.OutcomesUnknown]++;
        else
            cluster.History.Withdraw(operation);
        Think();
    }

    private ReadOnlySpan<byte> ValueOf(int written)
    {
        int length = (int)random.Between(sizeof(int), cluster.Scenario.ValueBytesMax);
        // No part of a value is zeros, or like another value: a part that did not reach the disk makes a difference.
        value.AsSpan(0, length).Fill((byte)(written % 255 + 1));
        BitConverter.TryWriteBytes(value, written);
        return value.AsSpan(0, length);
    }

    private static int ValueIn(ReadOnlySpan<byte> answer) => BitConverter.ToInt32(answer);
}
