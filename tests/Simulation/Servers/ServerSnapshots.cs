using RaftFast.Server.Node.Snapshots;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;

namespace RaftFast.Simulation.Servers;

/// <summary>Snapshots of a process: the snapshot being taken, and a received snapshot until the node decides.</summary>
internal sealed class ServerSnapshots(ServerProcess process)
{
    /// <summary>
    /// Milliseconds without progress after which another sender's snapshot is received. In the simulation parts arrive
    /// within a few milliseconds.
    /// </summary>
    private const long SilenceMax = 100;

    private SnapshotTask? taking;
    private ArrivedSnapshot? received;

    /// <summary>The place of the snapshot that is being received.</summary>
    public SnapshotPlace Place { get; } = new(SilenceMax, process.Cluster.Events.Now / 1000);

    /// <summary>Starts the thread that takes a snapshot.</summary>
    public void Take(SnapshotTask task)
    {
        taking = task;
        ScheduleStep();
    }

    /// <summary>Writes the next part of the snapshot that is being taken.</summary>
    public void Step()
    {
        if (taking!.Step())
        {
            ScheduleStep();
            return;
        }
        bool isDone = taking.Status == SnapshotTaskStatus.Done;
        process.Cluster.Counters[isDone ? Counter.SnapshotsTaken : Counter.SnapshotsGivenUp]++;
        process.Loop.Add(new Input(InputKind.SnapshotTaken) { Task = taking });
        taking = null;
    }

    /// <summary>Hands a complete snapshot to the loop, which decides about it.</summary>
    public void Receive(ArrivedSnapshot arrived)
    {
        received = arrived;
        process.Loop.Add(new Input(InputKind.SnapshotReceived) { Received = arrived });
    }

    /// <summary>Looks for the node's decision about the received snapshot.</summary>
    public void CheckDecision()
    {
        if (received is not { IsInstalled: { } isInstalled } decided)
            return;
        received = null;
        if (isInstalled)
            process.Server.OnStateReplaced(decided.Position, decided.Configuration.Index);
    }

    /// <summary>Frees the snapshots of a dead process. The store must still be there.</summary>
    public void Discard()
    {
        taking?.Close();
        if (received is { IsInstalled: null })
            received.Store.Dispose();
    }

    private void ScheduleStep() => process.Schedule(process.Random.Between(100, 30_000), EventKind.SnapshotStep);
}
