using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// The place of the one snapshot that is received at a time. A snapshot holds only committed entries, so a transfer
/// stays useful when its sender no longer leads. A sender of another snapshot therefore waits while the present
/// transfer makes progress, and for some time after its last progress: the sender may dial again and continue.
/// <para>
/// The caller guards <see cref="MayEnter"/>, <see cref="Enter"/> and <see cref="Leave"/> with one lock. The connection
/// calls the other methods on any thread.
/// </para>
/// </summary>
/// <param name="silenceMax">
/// Milliseconds without progress after which another sender gets the place, and the partial snapshot is given up.
/// </param>
/// <param name="now">Milliseconds; only differences mean anything. A partial snapshot may be on the disk.</param>
internal sealed class SnapshotPlace(long silenceMax, long now)
{
    private ulong sender;
    private bool isTaken;
    private long lastProgress = now;
    private volatile bool isComplete;

    /// <param name="partial">Relation of the sender's snapshot to the partial snapshot on the disk.</param>
    /// <returns>False if the sender has to wait.</returns>
    public bool MayEnter(ulong from, PartialSnapshotMatch partial, long now)
    {
        // A sender that dials again has lost its older connection, or has a newer snapshot in place of its older one.
        if (from == sender)
            return true;
        if (isComplete)
            return false;
        bool isSilent = now - Volatile.Read(ref lastProgress) >= silenceMax;
        return isSilent || (!isTaken && partial != PartialSnapshotMatch.Other);
    }

    public void Enter(ulong from, long now)
    {
        sender = from;
        isTaken = true;
        isComplete = false;
        Volatile.Write(ref lastProgress, now);
    }

    /// <summary>A part of the snapshot has arrived.</summary>
    public void Progress(long now) => Volatile.Write(ref lastProgress, now);

    /// <summary>The whole snapshot has arrived. Nothing is awaited from the sender any more.</summary>
    public void Complete() => isComplete = true;

    public void Leave(long now)
    {
        isTaken = false;
        isComplete = false;
        Volatile.Write(ref lastProgress, now);
    }
}
