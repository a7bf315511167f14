using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Reports;

namespace RaftFast.Simulation.Events;

/// <summary>Takes the events in order, and hands each event to the part of the cluster that handles it.</summary>
internal sealed class EventDispatch(Cluster cluster, SimulatedClients clients, Nemesis nemesis, RunTrace trace)
{
    /// <returns>False if no event up to <paramref name="deadline"/> has made the condition true.</returns>
    public bool RunUntil(long deadline, Func<bool> isDone)
    {
        while (!isDone())
        {
            if (!cluster.Events.TryNext(deadline, out Event happening))
                return false;
            Dispatch(happening);
        }
        return true;
    }

    private void Dispatch(in Event happening)
    {
        trace.Count();
        switch (happening.Kind)
        {
            case EventKind.Deliver:
                cluster.Connections.Deliver(happening.Argument);
                break;
            case EventKind.DiallerLearns:
                cluster.Connections.DiallerLearns((int)happening.Argument, happening.Actor);
                break;
            case EventKind.DialledLearns:
                cluster.Connections.SeeEnd((int)happening.Argument, happening.Actor);
                break;
            case EventKind.SnapshotBegins:
                nemesis.OnSnapshotBegins(cluster.Servers[happening.Actor]);
                break;
            case EventKind.SnapshotArrives:
                cluster.SnapshotTransfers.Step();
                break;
            case EventKind.ClientThinks:
                clients.Ask(happening.Actor, nemesis);
                break;
            case EventKind.OperatorThinks:
                clients.Operator.Ask();
                break;
            case EventKind.Nemesis:
                nemesis.Strike();
                break;
            case EventKind.Heal:
                nemesis.Heal(happening.Argument);
                break;
            case EventKind.Mount:
                nemesis.Mount();
                break;
            case EventKind.Starve:
                nemesis.Starve();
                break;
            case EventKind.MoveAll:
                nemesis.MoveAll();
                break;
            case EventKind.WriteReturns:
                nemesis.ReturnWrite(cluster.Servers[happening.Actor]);
                break;
            default:
                cluster.Servers[happening.Actor].Handle(happening);
                break;
        }
    }
}
