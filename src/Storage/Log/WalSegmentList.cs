using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>The segments' files of a directory, in order, and the segments with which the log may begin.</summary>
internal sealed class WalSegmentList(IDisk disk, ulong clusterId, ulong memberId) : IDisposable
{
    private readonly List<(string Name, long Segment)> segments = [];
    private readonly List<WalSegmentFile> files = [];
    private readonly AlignedMemory block = new(WalSegmentHeader.Size);

    public int Count => segments.Count;

    public (string Name, long Segment) this[int place] => segments[place];

    /// <summary>Number of the first segment with a file; 0 if there is none.</summary>
    public long FirstFile => Count == 0 ? 0 : segments[0].Segment;

    /// <summary>Bytes of all files.</summary>
    public long FileBytes { get; private set; }

    /// <summary>All files, for an operator.</summary>
    public IReadOnlyList<WalSegmentFile> Files => files;

    /// <summary>Lists the files.</summary>
    /// <returns>Place of the last segment that restarts the log; 0 if there is none.</returns>
    public int Find()
    {
        int start = 0;
        foreach (string name in disk.List())
        {
            if (!WalSegment.TryParseName(name, out long segment))
                continue;
            segments.Add((name, segment));
            if (TryReadHeader(name, out WalSegmentHeader header, out long bytes) && header.Resets)
                start = segments.Count - 1;
            FileBytes += bytes;
            files.Add(new WalSegmentFile(name, bytes, 0, 0));
        }
        return start;
    }

    /// <summary>
    /// Finds a segment with which the log may begin, although segments before it are damaged. A snapshot covers all
    /// entries before that segment, and the segment's header holds term and vote at its beginning. Later segments hold
    /// all other entries.
    /// </summary>
    /// <param name="from">First place that may be found.</param>
    /// <param name="snapshot">Last entry that the snapshot covers.</param>
    /// <returns>The place; -1 if there is none.</returns>
    public int FindStart(int from, LogPosition snapshot)
    {
        for (int place = from; place < Count; place++)
        {
            bool isIntact = TryReadHeader(segments[place].Name, out WalSegmentHeader header, out _)
                && header.ClusterId == clusterId && header.MemberId == memberId
                && header.Segment == segments[place].Segment;
            if (isIntact && header.Last.Index <= snapshot.Index)
                return place;
        }
        return -1;
    }

    /// <summary>Notes the entries of a segment that was read.</summary>
    public void Note(int place, long firstIndex, long lastIndex) =>
        files[place] = files[place] with { FirstIndex = firstIndex, LastIndex = lastIndex };

    /// <summary>Notes that no segment is a part of the log.</summary>
    public void ForgetNotes()
    {
        for (int place = 0; place < Count; place++)
            Note(place, 0, 0);
    }

    public void Dispose() => block.Dispose();

    private bool TryReadHeader(string name, out WalSegmentHeader header, out long bytes)
    {
        using IDiskFile file = disk.Open(name);
        bytes = file.Length;
        block.Span[file.Read(0, block.Span)..].Clear();
        return WalSegmentHeader.TryRead(block.Span, out header, out _, out _);
    }
}
