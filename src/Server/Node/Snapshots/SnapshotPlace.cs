using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// The place of the one snapshot that is received at a time. A snapshot holds only committed entries, so a transfer
/// stays useful when its sender no longer leads. A sender of another snapshot therefore waits while the present
/// transfer makes progress, and for some time after its last progress: the sender may dial again and continue.
/// <para>
/// A connection that has left may still be in a write that does not return. Until that write has ended, no other
/// connection touches the files: a late failure would delete, and a late rename would publish, what the other wrote.
/// </para>
/// <para>
/// The caller guards all methods but <see cref="Progress"/> and <see cref="Complete"/> with one lock. The connection
/// calls these two on any thread.
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
    private bool hasFiles;
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

    /// <summary>Takes the files, for the connection that has entered last.</summary>
    /// <returns>False while the work of another connection is out. The sender tries again later.</returns>
    public bool TryTakeFiles()
    {
        bool isFree = !hasFiles;
        hasFiles = true;
        return isFree;
    }

    /// <summary>The connection that had the files touches them no more.</summary>
    public void ReturnFiles()
    {
        hasFiles = false;
        // The last write may have returned after the connection had left.
        isComplete = false;
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
