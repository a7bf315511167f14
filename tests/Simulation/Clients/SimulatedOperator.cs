using System.Text;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Clients;

/// <summary>An operator that adds and removes members, one request at a time, at any server.</summary>
internal sealed class SimulatedOperator(Cluster cluster, SeededRandom random) : IRequestOwner
{
    private ClientRequest? request;
    private SimulatedServer? server;
    private int incarnation;

    /// <summary>The next request, if it is not drawn: the server to ask, and the server to add or remove.</summary>
    private (SimulatedServer Server, SimulatedServer Subject, bool Adds)? plan;

    /// <summary>Request that was answered 204 in the present batch.</summary>
    private ClientRequest? unconfirmed;

    /// <summary>True if the operator stops after the present request.</summary>
    public bool IsRetired { get; set; }

    /// <summary>True while the operator sends only planned requests.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Status of the planned request; 0 before its answer.</summary>
    public int LastStatus { get; private set; }

    private bool isPlanned;

    public bool MarkForResume() => request is not null;

    public void Resume()
    {
        ClientRequest answered = request!;
        if (isPlanned)
            LastStatus = answered.Status;
        bool isDone = answered.Status == 204;
        Invariant.Hold(isDone || answered.Status is 409 or 503 or 504 or 507);
        if (isDone)
            unconfirmed = answered;
        else if (answered.Status == 409)
            cluster.Counters[Counter.ChangesRefused]++;
        cluster.OnAnswered(isDone ? 0 : answered.Status, server!);
        Think();
    }

    public void Think()
    {
        request = null;
        if (!IsRetired)
        {
            long delay = random.Between(1_000, cluster.Scenario.ChurnIntervalMax);
            cluster.Events.Schedule(delay, new Event(EventKind.OperatorThinks, 0, 0, 0));
        }
    }

    /// <summary>
    /// Has the operator ask <paramref name="server"/> to add or remove <paramref name="subject"/>, once no other
    /// request is outstanding.
    /// </summary>
    public void Plan(SimulatedServer server, SimulatedServer subject, bool adds = true)
    {
        plan = (server, subject, adds);
        LastStatus = 0;
        if (request is null)
            Ask();
    }

    public void Ask()
    {
        // A planned request may be outstanding when the operator's next event comes.
        if (request is not null)
            return;
        server = plan?.Server ?? cluster.Servers[random.Next(cluster.Servers.Count)];
        if (IsRetired || !server.IsUp || (IsPaused && plan is null))
        {
            Think();
            return;
        }
        incarnation = server.Incarnation;
        SimulatedServer subject = plan?.Subject ?? cluster.Servers[random.Next(cluster.Servers.Count)];
        request = new ClientRequest(this);
        request.Begin();
        bool adds = plan?.Adds ?? (subject.Number >= cluster.Scenario.Servers && random.OneIn(2));
        isPlanned = plan is not null;
        plan = null;
        request.BeginMember(adds ? ClientRequestMethod.AddMember : ClientRequestMethod.RemoveMember, subject.Id);
        if (adds)
            request.AppendBody(Encoding.ASCII.GetBytes(subject.Identity.Address.ToString()));
        server.Deliver(new Input(InputKind.Request) { Request = request });
    }

    public void OnDied(SimulatedServer dead)
    {
        if (request is not null && dead == server && dead.Incarnation != incarnation)
            Think();
    }

    /// <summary>Checks a 204: the change holds, unless a later change was made meanwhile.</summary>
    public void CheckAnswer()
    {
        if (unconfirmed is not { } answered)
            return;
        unconfirmed = null;
        ClusterConfiguration? latest = cluster.Invariants.LatestConfiguration;
        bool isMember = latest?.Find(answered.MemberId) is not null;
        bool wasRemoved = latest?.WasRemoved(answered.MemberId) ?? false;
        bool isTrue = answered.Method == ClientRequestMethod.AddMember ? isMember || wasRemoved : !isMember;
        if (!isTrue)
        {
            throw new InvariantException(
                $"a change of member {answered.MemberId} was answered 204, and is not committed");
        }
    }
}
