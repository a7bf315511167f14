using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Node;

/// <summary>
/// Reads of entries that followers need and that are no longer in the leader's memory. Another thread waits for the
/// disk. Meanwhile the append to that follower waits, and heartbeats continue. While an append is under way, the
/// entries after it are read. Entries that are not the follower's next ones are dropped.
/// </summary>
internal sealed class FollowerReads(RaftCore core, Wal wal, Action<FollowerRead> run)
{
    /// <summary>
    /// Maximum reads: two for each follower, so that one is out while the entries of the other are sent. If all are in
    /// use, a follower takes the place of a read that another one has not taken yet. Each read keeps its memory: room
    /// for a record of any size, and a window of the disk.
    /// </summary>
    public const int CountMax = 16;

    private readonly List<FollowerRead> reads = new(CountMax);

    /// <summary>
    /// Takes the records from <paramref name="first"/> on that have been read for this follower, and begins to read
    /// the next ones. If there are none, begins to read them.
    /// </summary>
    /// <returns>Empty while the append must wait. The bytes are valid until the next call.</returns>
    public ReadOnlySpan<byte> Take(ulong follower, long first, out int count)
    {
        FollowerRead? taken = null;
        bool isOut = false;
        foreach (FollowerRead read in reads)
        {
            if (read.State == FollowerReadState.Free || read.Follower != follower)
                continue;
            if (read.State == FollowerReadState.Out)
                isOut = true;
            else if (IsWanted(read, first))
                taken = read;
            else
                read.State = FollowerReadState.Free;
        }
        if (taken is null)
        {
            if (!isOut && (FindFree(first) ?? reads.Find(IsDone)) is { } free)
                Begin(free, follower, first, before: free);
            count = 0;
            return default;
        }
        // No leader of this term has removed an entry (Leader Append-Only, figure 3).
        Invariant.Hold(core.Log.Matches(taken.Entries.Last));
        long next = taken.Entries.Last.Index + 1;
        if (!isOut && IsOnDiskOnly(next) && FindFree(next) is { } ahead)
            Begin(ahead, follower, next, before: taken);
        taken.State = FollowerReadState.Free;
        count = taken.Entries.Count;
        return taken.Entries.Records;
    }

    /// <summary>Another thread has ended a read.</summary>
    /// <exception cref="Storage.Disk.StorageException">The disk failed, or a record on it is damaged.</exception>
    public void OnRead(FollowerRead read)
    {
        Invariant.Hold(read.State == FollowerReadState.Out);
        bool isIntact = wal.TryEndRead(read.Entries);
        read.State = isIntact ? FollowerReadState.Done : FollowerReadState.Free;
        core.LogReadEnded(isNextOut: reads.Exists(static other => other.State == FollowerReadState.Out));
    }

    /// <summary>
    /// True if the entries are the next ones of the follower, in the log of this term. In another term the log may have
    /// lost them.
    /// </summary>
    private bool IsWanted(FollowerRead read, long first) => read.Term == core.Term && read.Entries.First == first;

    private static bool IsDone(FollowerRead read) => read.State == FollowerReadState.Done;

    /// <summary>True if no append will take what was read: the term is over, or the follower is gone.</summary>
    private bool IsOrphan(FollowerRead read) =>
        read.State == FollowerReadState.Done
        && (read.Term != core.Term || core.Configuration.OrdinalOf(read.Follower) < 0);

    private bool IsOnDiskOnly(long index) =>
        index <= core.Log.Last.Index && wal.MeasureInMemory(index, index, bytesMax: 0, out _) == 0;

    /// <summary>Finds a read that is free, if possible the one that can continue where it ended.</summary>
    private FollowerRead? FindFree(long first)
    {
        FollowerRead? free = null;
        foreach (FollowerRead read in reads)
        {
            if (IsOrphan(read))
                read.State = FollowerReadState.Free;
            if (read.State == FollowerReadState.Free && (free is null || read.Entries.EndedBefore(first)))
                free = read;
        }
        if (free is null && reads.Count < CountMax)
            reads.Add(free = new FollowerRead(wal.CreateRead()));
        return free;
    }

    private void Begin(FollowerRead read, ulong follower, long first, FollowerRead before)
    {
        wal.BeginRead(read.Entries, first, core.AppendBytesMax, before.Entries);
        read.Begin(follower, core.Term);
        core.LogReadBegun();
        run(read);
    }
}
