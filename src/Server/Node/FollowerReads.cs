using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Node;

/// <summary>
/// Reads of entries that followers need and that are no longer in the leader's memory. Another thread waits for the
/// disk. Meanwhile the append to that follower waits, and heartbeats continue. If the
/// follower's next entry is no longer the first one read, the entries are dropped.
/// </summary>
internal sealed class FollowerReads(RaftCore core, Wal wal, Action<FollowerRead> run)
{
    /// <summary>
    /// Maximum reads at a time, one for each follower at most. A further follower waits for the end of one. Each read
    /// keeps its memory: room for a record of any size, and a window of the disk.
    /// </summary>
    public const int CountMax = 4;

    private readonly List<FollowerRead> reads = new(CountMax);

    /// <summary>
    /// Takes the records from <paramref name="first"/> on that have been read for this follower. If there are none,
    /// begins to read them.
    /// </summary>
    /// <returns>Empty while the append must wait. The bytes are valid until the next call.</returns>
    public ReadOnlySpan<byte> Take(ulong follower, long first, out int count)
    {
        count = 0;
        foreach (FollowerRead read in reads)
        {
            if (read.State == FollowerReadState.Free || read.Follower != follower)
                continue;
            if (read.State == FollowerReadState.Out)
                return default;
            read.State = FollowerReadState.Free;
            if (!IsWanted(read, first))
                break;
            // No leader of this term has removed an entry (Leader Append-Only, figure 3).
            Invariant.Hold(core.Log.Matches(read.Entries.Last));
            count = read.Entries.Count;
            return read.Entries.Records;
        }
        if (FindFree(first) is { } free)
        {
            wal.BeginRead(free.Entries, first, core.AppendBytesMax);
            free.Begin(follower, core.Term);
            core.LogReadBegun();
            run(free);
        }
        return default;
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

    /// <summary>Gives up what no append has taken. Called after the appends of a batch of inputs.</summary>
    public void EndBatch()
    {
        foreach (FollowerRead read in reads)
        {
            if (read.State == FollowerReadState.Done)
                read.State = FollowerReadState.Free;
        }
    }

    /// <summary>
    /// True if the entries are the next ones of the follower, in the log of this term. In another term the log may have
    /// lost them.
    /// </summary>
    private bool IsWanted(FollowerRead read, long first) => read.Term == core.Term && read.Entries.First == first;

    /// <summary>Finds a read that is free, if possible the one that can continue where it ended.</summary>
    private FollowerRead? FindFree(long first)
    {
        FollowerRead? free = null;
        foreach (FollowerRead read in reads)
        {
            if (read.State == FollowerReadState.Free && (free is null || read.Entries.EndedBefore(first)))
                free = read;
        }
        if (free is null && reads.Count < CountMax)
            reads.Add(free = new FollowerRead(wal.CreateRead()));
        return free;
    }
}
