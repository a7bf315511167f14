using RaftFast.Simulation.Events;
using RaftFast.Simulation.Servers;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Simulation.Network;

/// <summary>All snapshots on their way between servers.</summary>
internal sealed class SnapshotTransfers(Cluster cluster, SeededRandom random)
{
    private readonly List<SnapshotTransfer> transfers = [];

    /// <summary>
    /// Begins to send the newest snapshot of a server to another, or continues a transfer of an earlier term.
    /// </summary>
    /// <returns>
    /// False if a transfer of this term, or of the sender's earlier process, is in progress, or the servers are not
    /// connected, or the sender is spoilt.
    /// </returns>
    public bool Begin(SimulatedServer from, SimulatedServer to, long term)
    {
        // A spoilt snapshot would spoil its receiver, and a majority might then be wrong.
        if (from.IsSpoilt)
            return false;
        SnapshotTransfer? present = transfers.Find(
            transfer => transfer.From == from && transfer.To == to && !transfer.IsOver);
        if (present is not null && present.IsOfSender)
        {
            bool isContinued = present.Term != term;
            present.Term = term;
            return isContinued;
        }
        if (present is not null || !cluster.Network.Link(from.Number, to.Number).IsConnected)
            return false;
        SnapshotReader reader = from.SnapshotFiles!.Read(from.SnapshotFiles.Files[0]);
        transfers.RemoveAll(transfer => transfer.IsOver);
        SeededRandom forked = random.Fork($"{random.NextUInt64()}");
        transfers.Add(new SnapshotTransfer(cluster, from, to, term, reader, forked));
        cluster.Events.Schedule(0, new Event(EventKind.SnapshotBegins, to.Number, 0, 0));
        ScheduleStep();
        return true;
    }

    /// <summary>
    /// Index of the last entry in the oldest snapshot on its way from this server; MaxValue if there is none.
    /// </summary>
    public long OldestFrom(SimulatedServer from)
    {
        long oldest = long.MaxValue;
        foreach (SnapshotTransfer transfer in transfers)
        {
            if (transfer.From == from && !transfer.IsOver)
                oldest = Math.Min(oldest, transfer.Index);
        }
        return oldest;
    }

    /// <summary>Delivers a part of each snapshot on its way. A server whose disk fails meanwhile dies.</summary>
    public void Step()
    {
        bool isMoreToCome = false;
        foreach (SnapshotTransfer transfer in transfers.ToArray())
        {
            transfer.CheckDecision();
            transfer.To.Survive(() => isMoreToCome |= transfer.Step());
            isMoreToCome |= !transfer.IsOver;
        }
        if (isMoreToCome)
            ScheduleStep();
    }

    private void ScheduleStep() =>
        cluster.Events.Schedule(random.Between(100, 5_000), new Event(EventKind.SnapshotArrives, 0, 0, 0));
}
