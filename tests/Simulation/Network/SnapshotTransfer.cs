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
    private bool isEntered;

    public long Index { get; } = reader.Position.Index;

    public SimulatedServer From { get; } = from;

    public SimulatedServer To { get; } = to;

    /// <summary>Term of the leader for which the transfer was begun or continued.</summary>
    public long Term { get; set; } = term;

    /// <summary>
    /// Greatest pause, in microseconds, from a failure until the sender's loop learns of it (PeerOptions). Without the
    /// pause the next attempt would begin at once.
    /// </summary>
    private const long RetryPauseMax = 100_000;

    private bool hasEnded;
    private long reportAt;

    /// <summary>True while the process that began the transfer is alive.</summary>
    public bool IsOfSender => From.Incarnation == fromIncarnation;

    public bool IsOver { get; private set; }

    /// <summary>Delivers the next part.</summary>
    /// <returns>True if more parts follow.</returns>
    public bool Step()
    {
        if (IsOver || received is not null)
            return false;
        if (hasEnded)
        {
            if (cluster.Events.Now >= reportAt)
                Report(0);
            return false;
        }
        // The sender may not have learnt yet that the receiver's process has ended.
        bool isCut = cluster.Network.Link(From.Number, To.Number).IsCut || !To.IsUp
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
        if (IsOver || hasEnded || received is null)
            return;
        if (received.IsInstalled is { } isInstalled)
        {
            cluster.Counters[Counter.SnapshotsInstalled] += isInstalled ? 1 : 0;
            End(Index);
        }
        else if (To.Incarnation != toIncarnation)
        {
            received.Store.Dispose();
            End(0);
        }
    }

    private bool TryBegin()
    {
        if (!To.Takes(From)
            || !To.SnapshotPlace!.MayEnter(From.Id, To.SnapshotFiles!.MatchPartial(reader.Image), Milliseconds))
        {
            End(0);
            return false;
        }
        To.SnapshotPlace.Enter(From.Id, Milliseconds);
        isEntered = true;
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
        To.SnapshotPlace!.Progress(Milliseconds);
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

    /// <summary>Loads the complete snapshot, publishes its file, and offers it to the loop.</summary>
    private void Load()
    {
        To.SnapshotPlace!.Complete();
        using SnapshotReader file = receiver!.Read();
        using SnapshotLoader loader = new(file);
        SnapshotReadStatus status;
        while ((status = loader.Step()) == SnapshotReadStatus.Chunk)
        {
        }
        if (status != SnapshotReadStatus.End)
        {
            End(0);
            return;
        }
        SnapshotPublishStatus published = receiver.Publish();
        if (published != SnapshotPublishStatus.Published)
        {
            End(published == SnapshotPublishStatus.Stale ? Index : 0);
            return;
        }
        received = new ArrivedSnapshot(
            From.Id, receiver.Position, receiver.Bytes, loader.Configuration!.Value, loader.Take());
        To.OnSnapshotArrived(received);
    }

    private void End(long installed)
    {
        hasEnded = true;
        received = null;
        reader.Dispose();
        receiver?.Dispose();
        if (isEntered && To.Incarnation == toIncarnation)
            To.SnapshotPlace?.Leave(Milliseconds);
        if (installed > 0)
            Report(installed);
        else
            reportAt = cluster.Events.Now + random.Between(0, RetryPauseMax);
    }

    private void Report(long installed)
    {
        IsOver = true;
        if (From.Incarnation == fromIncarnation && From.IsUp)
            From.Deliver(new Input(InputKind.SnapshotSent) { Peer = To.Id, Installed = installed });
    }

    private long Milliseconds => cluster.Events.Now / 1000;
}
