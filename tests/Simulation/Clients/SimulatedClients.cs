using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Scenarios;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Clients;

/// <summary>All clients of a cluster, and its operator.</summary>
internal sealed class SimulatedClients
{
    private readonly Cluster cluster;
    private readonly SeededRandom random;
    private readonly SimulatedClient[] clients;

    /// <summary>Clients that send transactions. Their numbers follow those of the others.</summary>
    private readonly TransactionClient[] transactions;

    /// <summary>Request that the next free client sends instead of a drawn one; null if there is none.</summary>
    private (SimulatedServer Server, KeyRequest Request)? plan;

    public SimulatedClients(Cluster cluster, SeededRandom root, SeededRandom random)
    {
        this.cluster = cluster;
        this.random = random;
        clients = new SimulatedClient[cluster.Scenario.Clients];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i] = new SimulatedClient(
                cluster, i, root.Fork($"client {i}"), root.Fork($"conditional requests {i}"));
        }
        transactions = new TransactionClient[cluster.Scenario.TransactionClients];
        for (int i = 0; i < transactions.Length; i++)
        {
            transactions[i] = new TransactionClient(
                cluster, clients.Length + i, root.Fork($"transactions {i}"));
        }
        Operator = new SimulatedOperator(cluster, root.Fork("operator"));
    }

    public SimulatedOperator Operator { get; }

    /// <summary>True while a client waits for an answer, or has a request to send again.</summary>
    public bool AreWaiting => Array.Exists(clients, client => client.IsWaiting)
        || Array.Exists(transactions, client => client.IsWaiting);

    public void Begin()
    {
        foreach (SimulatedClient client in clients)
            client.Think();
        foreach (TransactionClient client in transactions)
            client.Think();
        if (cluster.Scenario.HasChurn)
            Operator.Think();
    }

    /// <summary>Has the next free client send this request. Replaces a plan that no client has taken.</summary>
    public void Plan(SimulatedServer server, KeyRequest request) => plan = (server, request);

    /// <summary>
    /// Lets a client send the planned request, or a request to a random server, if clients may ask that server.
    /// </summary>
    public void Ask(int number, Nemesis nemesis)
    {
        if (number >= clients.Length)
        {
            transactions[number - clients.Length].Ask(nemesis);
            return;
        }
        SimulatedClient client = clients[number];
        Scenario scenario = cluster.Scenario;
        SimulatedServer server = cluster.Servers[random.Next(cluster.Servers.Count)];
        if ((client.IsRetired && !client.IsRetrying) || !server.IsUp || !nemesis.MayAsk(server))
            client.Think();
        else if (plan is { } planned && planned.Server.IsUp && nemesis.MayAsk(planned.Server) && !client.IsRetrying)
        {
            plan = null;
            client.Ask(planned.Server, planned.Request);
        }
        else
            client.Ask(server, random.Next(scenario.Keys), random.Next(100) < scenario.PutPercent);
    }

    /// <summary>Called when a server has processed a batch of inputs.</summary>
    public void OnStepped(SimulatedServer server)
    {
        foreach (SimulatedClient client in clients)
            client.OnStepped(server);
        foreach (TransactionClient client in transactions)
            client.OnStepped(server);
    }

    public void OnDied(SimulatedServer server)
    {
        foreach (SimulatedClient client in clients)
            client.OnDied(server);
        foreach (TransactionClient client in transactions)
            client.OnDied(server);
        Operator.OnDied(server);
    }

    /// <summary>Lets the clients and the operator stop after their present requests.</summary>
    public void Retire()
    {
        foreach (SimulatedClient client in clients)
            client.IsRetired = true;
        foreach (TransactionClient client in transactions)
            client.IsRetired = true;
        Operator.IsRetired = true;
    }
}
