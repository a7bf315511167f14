using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// A member's snapshots, as the loop sees them (§7). Begins a snapshot when it is due, and compacts the log afterwards.
/// Sends a snapshot to each member that needs one, and decides about a received one.
/// </summary>
internal sealed partial class SnapshotCycle(NodeParts parts, ReadyExecutor executor)
{
    private readonly RaftCore core = parts.Core;
    private readonly Wal wal = parts.Wal;
    private readonly SnapshotStore files = parts.SnapshotFiles;
    private readonly StateMachine state = parts.State;
    private readonly IPeerNetwork network = parts.Network;
    private readonly SnapshotOptions options = parts.Snapshots;
    private readonly NodeActions actions = parts.Actions;
    private readonly Random random = parts.Random;
    private readonly ILogger logger = parts.Logger;

    private SnapshotTask? taking;
    private ReceivedSnapshot? waiting;
    private bool hasToldOfWait;

    /// <summary>
    /// True if <see cref="Advance"/> has to compact the log. By then all reports of the batch have been taken, so a
    /// transfer that has ended counts as such everywhere.
    /// </summary>
    private bool mustCompact;
    private bool wasFull;
    private long lastIndex = parts.State.Store.AppliedIndex;
    private long lastBytes = parts.SnapshotFiles.NewestBytes;

    /// <summary>
    /// True while a member needs a snapshot and there is none: the only snapshot has turned out to be damaged.
    /// </summary>
    private bool isMissing;

    /// <summary>
    /// True after an attempt for which the disk had no room: the next attempt waits until a snapshot is due.
    /// </summary>
    private bool hasFailed;

    /// <summary>True after an operator has asked for a snapshot, until it is begun.</summary>
    private bool isWanted;

    private long takenCount;
    private long failedCount;
    private long installedCount;

    /// <summary><see cref="ReadyExecutor.AppliedBytes"/> when the last snapshot was begun.</summary>
    private long appliedBytes;

    public SnapshotReport Report() => new(
        takenCount, failedCount, installedCount, files.Files.Count == 0 ? 0 : files.Files[0].Index, lastBytes,
        taking?.Position.Index ?? 0, taking?.Bytes ?? 0);

    /// <summary>
    /// Asks for a snapshot that covers this applied entry. The caller repeats the call until there is such a snapshot:
    /// a snapshot that is being taken now may be older, or may fail.
    /// </summary>
    public void Want(long index)
    {
        Invariant.Hold(index <= core.Log.Applied);
        isWanted = taking is null && (files.Files.Count == 0 || files.Files[0].Index < index);
    }

    /// <summary>Does what has become due; called at the end of each batch of inputs.</summary>
    public void Advance()
    {
        // A full disk gives up what is kept for other members.
        bool isFull = wal.DiskIsFull;
        if (mustCompact || (isFull && !wasFull))
            Compact();
        mustCompact = false;
        wasFull = isFull;
        if (waiting is { } received && TryDecide(received))
            waiting = null;
        ConfigurationHistory configurations = core.Log.Configurations;
        long applied = core.Log.Applied;
        bool isDue = taking is null && waiting is null
            && ((isMissing && !hasFailed) || isWanted
                || options.IsDue(applied - lastIndex, executor.AppliedBytes - appliedBytes, lastBytes));
        // The snapshot carries the configuration of the entries that it covers.
        if (isDue && state.Store.CanBeginView && configurations.CommittedIndex <= applied)
        {
            LogPosition position = new(core.Log.TermAt(applied), applied);
            Begin(position, new(configurations.CommittedIndex, configurations.Committed.Cluster));
        }
        foreach (ulong member in core.Configuration.Servers)
        {
            if (member == core.Id || !core.WantsSnapshot(member))
                continue;
            isMissing = files.Files.Count == 0;
            if (!isMissing && network.SendSnapshot(member, core.Term))
                core.SnapshotStarted(member);
        }
    }

    /// <summary>The task is complete, and no thread steps it from here on.</summary>
    public void OnTaken(SnapshotTask task)
    {
        Invariant.Hold(task == taking);
        taking = null;
        task.Close();
        if (task.Store != state.Store)
            actions.Free(task.Store);
        hasFailed = task.Status == SnapshotTaskStatus.DiskFull;
        if (task.Status == SnapshotTaskStatus.Done)
        {
            lastBytes = task.Bytes;
            takenCount++;
            LogTaken(logger, task.Position.Index, task.Bytes);
            mustCompact = true;
        }
        else if (hasFailed)
        {
            failedCount++;
            LogDiskFull(logger, task.Position.Index);
            Compact();
            wal.GiveUpKeptSegments();
            actions.WakeSegments();
        }
    }

    /// <summary>The transfer of a snapshot to the peer has ended.</summary>
    /// <param name="installed">Index of the last entry that the snapshot covers; 0 when it didn't arrive.</param>
    public void OnSent(ulong peer, long installed)
    {
        // From now on the log is kept for the member until it has caught up.
        core.SnapshotEnded(peer, installed);
    }

    public void OnReceived(ReceivedSnapshot received)
    {
        // The store publishes only snapshots newer than its newest. So the snapshot that waits here is the older one.
        if (waiting is not null)
            GiveUp(waiting);
        waiting = received;
        hasToldOfWait = false;
        Advance();
    }

    /// <summary>
    /// Installs the snapshot, unless the log has its entries. The snapshot's file is durable and the newest, so a start
    /// would use it too, and reset a log that doesn't match (<c>Wal.Open</c>). A crash at any step therefore leaves the
    /// old state or the new one.
    /// </summary>
    /// <returns>False while the disk may have no room for the segment in which a reset log continues.</returns>
    private bool TryDecide(ReceivedSnapshot received)
    {
        LogPosition position = received.Position;
        received.Configuration.MustBeCoveredBy(position);
        if (!core.OfferSnapshot(position))
        {
            lastIndex = Math.Max(lastIndex, position.Index);
            GiveUp(received);
            return true;
        }
        if (!wal.TryResetTo(position, out long batch))
        {
            if (wal.DiskIsFull && !hasToldOfWait)
            {
                hasToldOfWait = true;
                LogWaits(logger, position.Index, received.From);
            }
            return false;
        }
        taking?.Cancel();
        executor.LogReset(batch);
        core.Install(position, received.Configuration.Index, received.Configuration.Cluster);
        KeyValueStore former = state.ReplaceBy(received.Store);
        executor.StateReplaced();
        if (taking?.Store != former)
            actions.Free(former);
        lastIndex = position.Index;
        lastBytes = received.FileBytes;
        installedCount++;
        appliedBytes = executor.AppliedBytes;
        LogInstalled(logger, position.Index, received.From);
        received.Complete(isInstalled: true);
        return true;
    }

    private void GiveUp(ReceivedSnapshot received)
    {
        actions.Free(received.Store);
        received.Complete(isInstalled: false);
    }

    private void Begin(LogPosition position, SnapshotConfiguration configuration)
    {
        configuration.MustBeCoveredBy(position);
        lastIndex = position.Index;
        appliedBytes = executor.AppliedBytes;
        isMissing = false;
        isWanted = false;
        taking = new SnapshotTask(state.Store, files, position, configuration, (ulong)random.NextInt64());
        actions.RunSnapshot(taking);
    }

    /// <summary>
    /// Drops whole segments of the log that two snapshots cover. While a member receives a snapshot and catches up
    /// afterwards, the segments that it needs are kept, up to a bound of bytes and while the disk has room. A member
    /// that is slower than the bound allows needs another snapshot.
    /// </summary>
    private void Compact()
    {
        long index = files.CompactableIndex;
        if (!wal.DiskIsFull && !hasFailed && wal.NeededBytesOnDisk <= options.HeldLogBytesMax)
            index = Math.Min(index, Math.Min(network.OldestSnapshotBeingSent, core.NeededAfter));
        wal.CompactTo(Math.Min(index, core.Log.Applied));
        core.Log.CompactTo(wal.FirstIndex - 1);
        actions.WakeSegments();
    }

    [LoggerMessage(LogLevel.Information, "snapshot up to entry {Index} taken, {Bytes} bytes")]
    private static partial void LogTaken(ILogger logger, long index, long bytes);

    [LoggerMessage(LogLevel.Error,
        "the disk has no room for the snapshot up to entry {Index}: the snapshot is given up; "
        + "free some space, or raise the quota or the file size limit (ulimit -f)")]
    private static partial void LogDiskFull(ILogger logger, long index);

    [LoggerMessage(LogLevel.Error,
        "the snapshot up to entry {Index} from member {From} waits: the disk has no room for the log's next segment; "
        + "free some space, or raise the quota or the file size limit (ulimit -f)")]
    private static partial void LogWaits(ILogger logger, long index, ulong from);

    [LoggerMessage(LogLevel.Information,
        "snapshot up to entry {Index} from member {From} installed: it replaces log and state")]
    private static partial void LogInstalled(ILogger logger, long index, ulong from);
}
