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
/// own, until the connection breaks. A part may arrive twice or damaged. A write of the receiver may hang for ever, or
/// until the transfer has ended.
/// </summary>
internal sealed class SnapshotTransfer(
    Cluster cluster, SimulatedServer from, SimulatedServer to, long term, SnapshotReader reader, SeededRandom random)
{
    private readonly int fromIncarnation = from.Incarnation;
    private readonly int toIncarnation = to.Incarnation;
    private PartialSnapshot? receiver;
    private ArrivedSnapshot? received;
    private bool isEntered;
    private bool hasFiles;

    /// <summary>Time at which the receiver's hung write began; null if no write hangs.</summary>
    private long? hungAt;

    public long Index { get; } = reader.Position.Index;

    public SimulatedServer From { get; } = from;

    public SimulatedServer To { get; } = to;

    /// <summary>Term of the leader for which the transfer was begun or continued.</summary>
    public long Term { get; set; } = term;

    /// <summary>
    /// Greatest pause, in microseconds, from a failure until the sender's loop learns of it: a tenth of
    /// PeerOptions.SnapshotRetryPause. Without the pause the next attempt would begin at once.
    /// </summary>
    private const long RetryPauseMax = 100_000;

    /// <summary>
    /// Microseconds after which the receiver ends the connection of a write that does not return: a tenth of
    /// PeerOptions.SnapshotWorkMax.
    /// </summary>
    private const long WorkMax = 500_000;

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
        bool isHung = hungAt is { } begun && cluster.Events.Now - begun >= WorkMax;
        bool hasFaults = ReferenceEquals(cluster.Network.Faults, cluster.Scenario.Network);
        if (isCut || isHung || (hasFaults && random.OneIn(3)))
        {
            cluster.Counters[Counter.SnapshotsBroken]++;
            End(0);
            return false;
        }
        if (hungAt is not null)
            return true;
        return receiver is null ? TryBegin() : receiver.IsComplete ? Work(Load) : TryAppend();
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
        hasFiles = To.SnapshotPlace.TryTakeFiles();
        if (!hasFiles)
        {
            // A hung write of an older connection still holds the files, so this connection is put off.
            cluster.Counters[Counter.SnapshotsPutOffByHungWrite]++;
            End(0);
            return false;
        }
        byte[] header = reader.Image.ToArray();
        return Work(() => Open(header));
    }

    /// <summary>
    /// Works on the receiver's files: now, or when its disk returns. On a disk that hangs, some writes still return.
    /// </summary>
    /// <returns>True if more parts follow.</returns>
    private bool Work(Func<bool> work)
    {
        if (!To.Disk.HungWrites.IsHung || random.OneIn(2))
            return work();
        cluster.Counters[Counter.SnapshotWritesHung]++;
        hungAt = cluster.Events.Now;
        To.Disk.HungWrites.Hold(() => To.Survive(() => Return(work)));
        return true;
    }

    private void Return(Func<bool> work)
    {
        hungAt = null;
        work();
        if (!hasEnded)
            return;
        cluster.Counters[Counter.SnapshotWritesAfterTransfer]++;
        LeaveFiles();
    }

    private bool Open(byte[] header)
    {
        receiver = To.SnapshotFiles!.TryReceive(header, out PartialSnapshotStatus status);
        if (hasEnded)
            return false;
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
        return Work(() => Append(image));
    }

    private bool Append(byte[] image)
    {
        if (random.OneIn(20))
        {
            byte[] damaged = [.. image];
            damaged[random.Next(damaged.Length)] ^= 1;
            receiver!.Append(damaged);
        }
        PartialSnapshotStatus status = receiver!.Append(image);
        if (hasEnded)
            return false;
        To.SnapshotPlace!.Progress(Milliseconds);
        if (status == PartialSnapshotStatus.Incomplete && random.OneIn(10))
            status = receiver.Append(image);
        if (status is PartialSnapshotStatus.Incomplete or PartialSnapshotStatus.Complete)
            return true;
        End(0);
        return false;
    }

    /// <summary>Loads the complete snapshot, publishes its file, and offers it to the loop.</summary>
    private bool Load()
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
            return false;
        }
        SnapshotPublishStatus published = receiver.Publish();
        if (published != SnapshotPublishStatus.Published)
        {
            End(published == SnapshotPublishStatus.Stale ? Index : 0);
            return false;
        }
        ArrivedSnapshot arrived = new(
            From.Id, receiver.Position, receiver.Bytes, loader.Configuration!.Value, loader.Take());
        // The loop decides even if the sender is gone.
        received = hasEnded ? null : arrived;
        To.OnSnapshotArrived(arrived);
        return false;
    }

    private void LeaveFiles()
    {
        receiver?.Dispose();
        if (hasFiles && To.Incarnation == toIncarnation)
            To.SnapshotPlace!.ReturnFiles();
        hasFiles = false;
    }

    private void End(long installed)
    {
        if (hasEnded)
            return;
        hasEnded = true;
        received = null;
        reader.Dispose();
        if (hungAt is null || To.Incarnation != toIncarnation)
            LeaveFiles();
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
