using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// The segments' files: makes the next one ahead of use, if it can from one that is done with, and deletes others that are. Files go
/// from the front, each durably before the next, so what a crash leaves is a log without gaps.
/// </summary>
internal sealed class WalSegmentFiles(IDisk disk, long segmentBytes, int spares)
{
    /// <summary>Of the segments that a compaction freed, so many at most are kept: they are read again at a start, and are room that others may need.</summary>
    private const int KeptMax = 32;

    private readonly Lock preparing = new();
    private long first;
    private long firstNeeded;

    /// <summary>What it was before the log was compacted last.</summary>
    private long firstNeededBefore;
    private long bytes;
    private bool nextIsRecycled;
    private volatile bool isPrepared;
    private volatile bool diskIsFull;

    public bool IsPrepared => isPrepared;

    public bool DiskIsFull => diskIsFull;

    /// <summary>Of the files that hold the log, held it, or will.</summary>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Of the files that hold the log, or will: without those done with.</summary>
    public long NeededBytes => Bytes - (Interlocked.Read(ref firstNeeded) - Interlocked.Read(ref first)) * segmentBytes;

    /// <summary>
    /// Segments were done with before the last compaction, and are more than are kept anyway. What that one freed is kept to become
    /// next ones: as much will be written until another, and a new file costs the disk its bytes twice.
    /// </summary>
    public bool HasUnneeded => Interlocked.Read(ref firstNeededBefore) - Interlocked.Read(ref first) > spares;

    /// <summary>If a segment were begun now: whether its file may turn out to be a recycled one.</summary>
    public bool NextMayHoldOldBytes => !isPrepared || nextIsRecycled;

    /// <summary>Takes over what is there.</summary>
    /// <param name="segment">The first whose file is there.</param>
    public void Open(long segment, long fileBytes)
    {
        if (disk.Exists(WalSegment.NextName))
            disk.Delete(WalSegment.NextName);
        first = firstNeeded = firstNeededBefore = segment;
        bytes = fileBytes;
    }

    /// <summary>The log begins with this segment: those before it are done with. Any thread.</summary>
    public void NeedFrom(long segment)
    {
        long before = Interlocked.Read(ref firstNeeded);
        Invariant.Hold(segment >= before);
        if (segment == before)
            return;
        Interlocked.Exchange(ref firstNeededBefore, Math.Max(before, segment - KeptMax));
        Interlocked.Exchange(ref firstNeeded, segment);
    }

    /// <summary>The disk is short of room: what the last compaction freed is not kept. Any thread.</summary>
    public void GiveUpKept() => Interlocked.Exchange(ref firstNeededBefore, Interlocked.Read(ref firstNeeded));

    /// <returns>False when the disk is full.</returns>
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

    /// <summary>The header is durable before the name is, so a segment's header is never torn. The next file is used up with <see cref="Used"/>.</summary>
    public void PublishNext(long segment, ReadOnlySpan<byte> header)
    {
        lock (preparing)
        {
            if (!TryPrepare())
                throw new StorageException($"the disk has no room for {WalSegment.Name(segment)} ({segmentBytes} bytes); free some space, then start again");
            using (IDiskFile next = disk.Open(WalSegment.NextName))
                next.Write(0, header);
            disk.Rename(WalSegment.NextName, WalSegment.Name(segment));
            disk.SyncDirectory();
        }
    }

    public void Used() => isPrepared = false;

    /// <summary>
    /// The next segment's header is written into the file before it gets that segment's name; before that the old name must be durably
    /// gone, or a crash would bring back a segment with another's header.
    /// </summary>
    private bool TryRecycle()
    {
        while (first < Interlocked.Read(ref firstNeeded))
        {
            string name = WalSegment.Name(first);
            if (LengthOf(name) == segmentBytes)
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
        long length = LengthOf(name);
        disk.Delete(name);
        disk.SyncDirectory();
        Interlocked.Increment(ref first);
        Interlocked.Add(ref bytes, -length);
    }

    private long LengthOf(string name)
    {
        using IDiskFile file = disk.Open(name);
        return file.Length;
    }
}
