using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// A member's snapshots, as the loop sees them: when one is due, what follows when it has been taken, which member needs one,
/// and what is done with one that has been received (§7).
/// </summary>
internal sealed partial class SnapshotCycle(
    RaftCore core, Wal wal, SnapshotStore files, StateMachine state, ReadyExecutor executor, IPeerNetwork network,
    SnapshotOptions options, NodeActions actions, Random random, ILogger logger)
{
    private SnapshotTask? taking;
    private ReceivedSnapshot? waiting;
    private long lastIndex = state.Store.AppliedIndex;
    private long lastBytes = files.NewestBytes;

    /// <summary>A server needs a snapshot, and the only one has turned out to be damaged.</summary>
    private bool isMissing;

    /// <summary>There was no room for the last attempt: the next waits until it is due.</summary>
    private bool hasFailed;

    /// <summary>Of the applied entries, as <see cref="ReadyExecutor.AppliedBytes"/> counts them, when the last snapshot was begun.</summary>
    private long appliedBytes;

    /// <summary>At the end of each batch of inputs.</summary>
    public void Advance()
    {
        // A log that is emptied goes on in a new segment.
        if (waiting is { } received && wal.NextSegmentIsReady)
        {
            waiting = null;
            Decide(received);
        }
        ConfigurationHistory configurations = core.Log.Configurations;
        long applied = core.Log.Applied;
        bool isDue = taking is null && ((isMissing && !hasFailed) || options.IsDue(applied - lastIndex, executor.AppliedBytes - appliedBytes, lastBytes));
        // The configuration that the snapshot carries is that of the entries which it covers.
        if (isDue && state.Store.CanBeginView && configurations.CommittedIndex <= applied)
            Begin(new LogPosition(core.Log.TermAt(applied), applied), new(configurations.CommittedIndex, configurations.Committed.Cluster));
        foreach (ulong server in core.Configuration.Servers)
        {
            if (server == core.Id || !core.WantsSnapshot(server))
                continue;
            isMissing = files.Files.Count == 0;
            if (!isMissing && network.SendSnapshot(server, core.Term))
                core.SnapshotStarted(server);
        }
    }

    /// <summary>Nobody steps it any more.</summary>
    public void OnTaken(SnapshotTask task)
    {
        Invariant.Hold(task == taking);
        taking = null;
        task.Close();
        if (task.Store != state.Store)
            task.Store.Dispose();
        hasFailed = task.Status == SnapshotTaskStatus.DiskFull;
        if (task.Status == SnapshotTaskStatus.Done)
        {
            lastBytes = task.Bytes;
            LogTaken(logger, task.Position.Index, task.Bytes);
            Compact();
        }
        else if (hasFailed)
        {
            LogDiskFull(logger, task.Position.Index);
            wal.GiveUpKeptSegments();
            actions.WakeSegments();
        }
    }

    /// <summary>A snapshot that was sent to this server has arrived there, or not.</summary>
    /// <param name="installed">Up to which entry; 0: it has not.</param>
    public void OnSent(ulong peer, long installed)
    {
        // The log behind it stays until the next snapshot has been taken: the server has yet to catch up with that.
        core.SnapshotEnded(peer, installed);
    }

    public void OnReceived(ReceivedSnapshot received)
    {
        // The leader begins again when its connection breaks: what came before is as good as what comes now.
        waiting?.Complete(isInstalled: false);
        waiting = received;
        Advance();
    }

    private void Decide(ReceivedSnapshot received)
    {
        if (!received.TryClaim())
            return;
        LogPosition position = received.Receiver.Position;
        bool isWanted = core.OfferSnapshot(received.From, received.Term, position);
        executor.Persist();
        received.Complete(isWanted && TryInstall(received, position));
    }

    /// <summary>
    /// Old state or new, whenever the process dies: the file gets its name first, and with that counts at the next start,
    /// where a log that doesn't match it is emptied (<see cref="Wal.Open(IDisk, ulong, ulong, WalOptions, LogPosition, out WalRecovery)"/>).
    /// </summary>
    private bool TryInstall(ReceivedSnapshot received, LogPosition position)
    {
        received.Configuration.MustBeCoveredBy(position);
        taking?.Cancel();
        if (received.Receiver.Publish() != SnapshotPublishStatus.Published)
            return false;
        executor.LogReset(wal.ResetTo(position));
        core.Install(position, received.Configuration.Index, received.Configuration.Cluster);
        KeyValueStore former = state.ReplaceBy(received.Store);
        if (taking?.Store != former)
            former.Dispose();
        lastIndex = position.Index;
        lastBytes = files.NewestBytes;
        appliedBytes = executor.AppliedBytes;
        LogInstalled(logger, position.Index, received.From);
        return true;
    }

    private void Begin(LogPosition position, SnapshotConfiguration configuration)
    {
        configuration.MustBeCoveredBy(position);
        lastIndex = position.Index;
        appliedBytes = executor.AppliedBytes;
        isMissing = false;
        taking = new SnapshotTask(state.Store, files, position, configuration, (ulong)random.NextInt64());
        actions.RunSnapshot(taking);
    }

    /// <summary>
    /// Whole segments that two snapshots cover; of those that a server still needs behind the snapshot that is on its way to it, as
    /// many as fit a bound: who is slower than that needs another.
    /// </summary>
    private void Compact()
    {
        long held = wal.NeededBytesOnDisk > options.HeldLogBytesMax ? long.MaxValue : network.OldestSnapshotBeingSent;
        long index = Math.Min(files.CompactableIndex, held);
        wal.CompactTo(Math.Min(index, core.Log.Applied));
        core.Log.CompactTo(wal.FirstIndex - 1);
        actions.WakeSegments();
    }

    [LoggerMessage(LogLevel.Information, "snapshot up to entry {Index} taken, {Bytes} bytes")]
    private static partial void LogTaken(ILogger logger, long index, long bytes);

    [LoggerMessage(LogLevel.Error, "the disk has no room for the snapshot up to entry {Index}: it is given up, and the log stays")]
    private static partial void LogDiskFull(ILogger logger, long index);

    [LoggerMessage(LogLevel.Information, "snapshot up to entry {Index} from member {From} installed: it takes the place of log and state")]
    private static partial void LogInstalled(ILogger logger, long index, ulong from);
}
