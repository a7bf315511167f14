using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Recovery;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Simulation.Network;

/// <summary>
/// A snapshot on its way. The parts of the sender's file arrive at the receiver in order, as on a connection of their
/// own, until the connection breaks. A part may arrive twice or damaged.
/// </summary>
internal sealed class SnapshotTransfer(
    Cluster cluster, SimulatedServer from, SimulatedServer to, long term, SnapshotReader reader, SeededRandom random)
{
    private readonly int fromIncarnation = from.Incarnation;
    private readonly int toIncarnation = to.Incarnation;
    private PartialSnapshot? receiver;
    private ArrivedSnapshot? received;

    public long Index { get; } = reader.Position.Index;

    public SimulatedServer From { get; } = from;

    public SimulatedServer To { get; } = to;

    public bool IsOver { get; private set; }

    /// <summary>Delivers the next part.</summary>
    /// <returns>True if more parts follow.</returns>
    public bool Step()
    {
        if (IsOver || received is not null)
            return false;
        bool isCut = cluster.Network.Link(From.Number, To.Number).IsCut
            || From.Incarnation != fromIncarnation || To.Incarnation != toIncarnation;
        bool hasFaults = ReferenceEquals(cluster.Network.Faults, cluster.Scenario.Network);
        if (isCut || (hasFaults && random.OneIn(3)))
        {
            cluster.Counters[Counter.SnapshotsBroken]++;
            End(0);
            return false;
        }
        return receiver is null ? TryBegin() : TryAppend();
    }

    /// <summary>Looks for the decision of the receiver's loop, or for the end of its process.</summary>
    public void CheckDecision()
    {
        if (IsOver || received is null)
            return;
        if (To.Incarnation != toIncarnation)
            End(0);
        else if (received.IsInstalled is { } isInstalled)
        {
            cluster.Counters[Counter.SnapshotsInstalled] += isInstalled ? 1 : 0;
            if (!isInstalled)
                received.Store.Dispose();
            End(Index);
        }
    }

    private bool TryBegin()
    {
        receiver = To.SnapshotFiles!.TryReceive(reader.Image, out PartialSnapshotStatus status);
        if (receiver is null)
        {
            End(status == PartialSnapshotStatus.Stale ? Index : 0);
            return false;
        }
        if (receiver.Chunks > 0)
            cluster.Counters[Counter.SnapshotsResumed]++;
        bool isSkipped = false;
        From.Survive(() => isSkipped = reader.TrySkipTo(receiver.Chunks));
        if (!isSkipped)
        {
            End(0);
            return false;
        }
        return true;
    }

    private bool TryAppend()
    {
        SnapshotReadStatus read = SnapshotReadStatus.Damaged;
        From.Survive(() => read = reader.Read());
        if (read == SnapshotReadStatus.Damaged)
        {
            End(0);
            return false;
        }
        byte[] image = reader.Image.ToArray();
        if (random.OneIn(20))
        {
            byte[] damaged = [.. image];
            damaged[random.Next(damaged.Length)] ^= 1;
            receiver!.Append(damaged);
        }
        PartialSnapshotStatus status = receiver!.Append(image);
        if (status == PartialSnapshotStatus.Incomplete && random.OneIn(10))
            status = receiver.Append(image);
        if (status == PartialSnapshotStatus.Incomplete)
            return true;
        if (status == PartialSnapshotStatus.Complete)
            Load();
        else
            End(0);
        return false;
    }

    private void Load()
    {
        using SnapshotReader file = receiver!.Read();
        using SnapshotLoader loader = new(file);
        while (loader.Step() == SnapshotReadStatus.Chunk)
        {
        }
        received = new ArrivedSnapshot(From.Id, term, receiver, loader.Configuration!.Value, loader.Take());
        To.OnSnapshotArrived(received);
    }

    private void End(long installed)
    {
        IsOver = true;
        reader.Dispose();
        receiver?.Dispose();
        if (From.Incarnation == fromIncarnation && From.IsUp)
            From.Deliver(new Input(InputKind.SnapshotSent) { Peer = To.Id, Installed = installed });
    }
}
