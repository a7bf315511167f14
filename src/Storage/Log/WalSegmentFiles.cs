using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Files of the segments. Prepares the next segment's file in advance, by reuse of an unneeded segment if possible, and
/// deletes other unneeded segments. A segment is unneeded if the log begins after it.
/// <para>
/// Every rename, deletion and creation of a segment's name is followed by a sync of the directory, before anything
/// depends on the name. So a crash leaves a log without gaps. Segments disappear from the front, each durably before
/// the next. A segment gets its name durably before its first batch is written.
/// </para>
/// </summary>
internal sealed class WalSegmentFiles(IDisk disk, long segmentBytes, int spares)
{
    /// <summary>
    /// Maximum segments kept of those that one compaction freed. Kept segments take room, and are read again at each
    /// start.
    /// </summary>
    private const int KeptMax = 32;

    private readonly Lock preparing = new();
    private long first;
    private long firstNeeded;

    /// <summary>Value of <see cref="firstNeeded"/> before the last compaction.</summary>
    private long firstNeededBefore;
    private long bytes;
    private bool nextIsRecycled;
    private volatile bool isPrepared;
    private volatile bool diskIsFull;

    public bool IsPrepared => isPrepared;

    public bool DiskIsFull => diskIsFull;

    /// <summary>Bytes of all files: needed and unneeded segments, and the prepared file.</summary>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Bytes of the needed segments and the prepared file.</summary>
    public long NeededBytes => Bytes - (Interlocked.Read(ref firstNeeded) - Interlocked.Read(ref first)) * segmentBytes;

    /// <summary>
    /// True if more segments than the spares were unneeded before the last compaction. The segments that the last
    /// compaction freed are kept for reuse. The log writes as much again until the next compaction, and a new file is
    /// written twice, first with zeros.
    /// </summary>
    public bool HasUnneeded => Interlocked.Read(ref firstNeededBefore) - Interlocked.Read(ref first) > spares;

    /// <summary>True if a segment that begins now may get a recycled file.</summary>
    public bool NextMayHoldOldBytes => !isPrepared || nextIsRecycled;

    /// <summary>Takes over the files on the disk.</summary>
    /// <param name="segment">Number of the first segment with a file.</param>
    public void Open(long segment, long fileBytes)
    {
        first = firstNeeded = firstNeededBefore = segment;
        bytes = fileBytes;
        if (!disk.Exists(WalSegment.NextName))
            return;
        isPrepared = LengthOf(WalSegment.NextName) == segmentBytes;
        if (!isPrepared)
        {
            disk.Delete(WalSegment.NextName);
            return;
        }
        // Keep the file: on a full disk no other can be made. The file may be a renamed segment, whose old name must be
        // durably gone.
        disk.SyncDirectory();
        nextIsRecycled = true;
        bytes += segmentBytes;
    }

    /// <summary>True if the log begins with this segment or an earlier one. Any thread.</summary>
    public bool IsNeeded(long segment) => segment >= Interlocked.Read(ref firstNeeded);

    /// <summary>Makes the log begin with this segment, so that earlier segments are unneeded. Any thread.</summary>
    public void NeedFrom(long segment)
    {
        long before = Interlocked.Read(ref firstNeeded);
        Invariant.Hold(segment >= before);
        if (segment == before)
            return;
        Interlocked.Exchange(ref firstNeededBefore, Math.Max(before, segment - KeptMax));
        Interlocked.Exchange(ref firstNeeded, segment);
    }

    /// <summary>
    /// Keeps no segments that the last compaction freed, because the disk is short of room. Any thread.
    /// </summary>
    public void GiveUpKept() => Interlocked.Exchange(ref firstNeededBefore, Interlocked.Read(ref firstNeeded));

    /// <summary>
    /// Prepares the next segment's file, if it isn't prepared yet. Returns false if the disk is full.
    /// </summary>
    public bool TryPrepare()
    {
        lock (preparing)
        {
            if (!isPrepared)
            {
                isPrepared = TryRecycle() || TryCreate();
                diskIsFull = !isPrepared;
            }
            return isPrepared;
        }
    }

    public void DeleteUnneeded()
    {
        while (HasUnneeded)
        {
            lock (preparing)
            {
                if (HasUnneeded)
                    DeleteFirst();
            }
        }
    }

    /// <summary>
    /// Gives the prepared file its header, then its name. The header is durable before the name, so a segment's header
    /// is never torn. The caller then calls <see cref="Used"/>.
    /// </summary>
    /// <returns>False if the directory has no room for the name. The prepared file stays prepared.</returns>
    public bool TryPublishNext(long segment, ReadOnlySpan<byte> header)
    {
        lock (preparing)
        {
            if (!TryPrepare())
            {
                throw new StorageException(
                    $"the disk has no room for {WalSegment.Name(segment)} ({segmentBytes} bytes); "
                    + "free some space, or raise the quota or the file size limit (ulimit -f), then start again");
            }
            using (IDiskFile next = disk.Open(WalSegment.NextName))
                next.Write(0, header);
            try
            {
                disk.Rename(WalSegment.NextName, WalSegment.Name(segment));
            }
            catch (StorageException full) when (full.IsDiskFull)
            {
                return false;
            }
            disk.SyncDirectory();
            return true;
        }
    }

    public void Used() => isPrepared = false;

    /// <summary>
    /// Renames an unneeded segment to the next file's name. The old name must be durably gone before
    /// <see cref="TryPublishNext"/> writes the new header, or a crash could bring back a segment with another segment's
    /// header.
    /// </summary>
    private bool TryRecycle()
    {
        while (first < Interlocked.Read(ref firstNeeded))
        {
            string name = WalSegment.Name(first);
            if (disk.Exists(name) && LengthOf(name) == segmentBytes)
            {
                disk.Rename(name, WalSegment.NextName);
                disk.SyncDirectory();
                Interlocked.Increment(ref first);
                nextIsRecycled = true;
                return true;
            }
            DeleteFirst();
        }
        return false;
    }

    private bool TryCreate()
    {
        try
        {
            disk.Create(WalSegment.NextName, segmentBytes).Dispose();
        }
        catch (DiskFullException)
        {
            return false;
        }
        Interlocked.Add(ref bytes, segmentBytes);
        nextIsRecycled = false;
        return true;
    }

    private void DeleteFirst()
    {
        string name = WalSegment.Name(first);
        // A segment that the log does not need may be missing.
        if (disk.Exists(name))
        {
            long length = LengthOf(name);
            disk.Delete(name);
            disk.SyncDirectory();
            Interlocked.Add(ref bytes, -length);
        }
        Interlocked.Increment(ref first);
    }

    private long LengthOf(string name)
    {
        using IDiskFile file = disk.Open(name);
        return file.Length;
    }
}
