using RaftFast.Consensus;
using RaftFast.Server.Node;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Reports;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation.Servers;

/// <summary>
/// Reads of a process for followers that are far behind. Each read opens its file, reads, and reaches the loop at
/// random times. Meanwhile the leader may change, and the log may be compacted.
/// </summary>
internal sealed class ServerReads
{
    private readonly ServerProcess process;
    private readonly SeededRandom random;
    private readonly Dictionary<long, ReadUnderWay> reads = [];

    /// <summary>Maximum microseconds between two steps of a read.</summary>
    private readonly long stepMax;

    /// <summary>True if reads wait until their files are recycled.</summary>
    private readonly bool waitsForRecycling;

    /// <summary>True if the disk returns no read while it returns no write.</summary>
    private readonly bool hangs;

    private long last;

    public ServerReads(ServerProcess process, SeededRandom random)
    {
        this.process = process;
        this.random = random;
        hangs = random.OneIn(2);
        // A starving follower needs old entries until the log is compacted.
        waitsForRecycling = random.OneIn(4) || process.Cluster.Scenario.Starves;
        stepMax = random.Next(4) switch
        {
            0 => 20_000,
            1 => 1_000_000,
            _ => 400,
        };
    }

    /// <summary>
    /// Maximum microseconds for which a read waits until the file of its segment is deleted or recycled: the read is
    /// not overdue yet, so its leader leads on.
    /// </summary>
    private long RecyclingMax => process.Server.TickPeriod * process.Cluster.Scenario.Raft.OverdueWriteTicks * 3 / 4;

    private bool IsHealed => process.Cluster.Events.Now >= process.Cluster.Scenario.Duration;

    /// <summary>Gives a read to the thread that reads.</summary>
    public void Begin(FollowerRead read)
    {
        ReadUnderWay underWay = new(read, process.Cluster.Events.Now + RecyclingMax);
        reads.Add(++last, underWay);
        // The file may be open before it is recycled.
        if (waitsForRecycling && random.OneIn(2))
            underWay.Read.Step();
        Schedule(EventKind.ReadStep, last);
    }

    /// <summary>Opens the file of a read, or reads some batches.</summary>
    public void Step(long number)
    {
        HungWrites hung = process.Server.Disk.HungWrites;
        if (hangs && hung.IsHung)
        {
            process.Cluster.Counters[Counter.FollowerReadsHung]++;
            hung.Hold(() => process.Server.Survive(() => Step(number)));
            return;
        }
        ReadUnderWay underWay = reads[number];
        if (MustWait(underWay))
        {
            process.Schedule(20_000, EventKind.ReadStep, number);
            return;
        }
        bool isUnderWay;
        do
            isUnderWay = underWay.Read.Step();
        while (isUnderWay && random.OneIn(2));
        Schedule(isUnderWay ? EventKind.ReadStep : EventKind.ReadReturns, number);
    }

    /// <summary>Hands a read that has ended to the loop.</summary>
    public void Return(long number)
    {
        process.Loop.Add(new Input(InputKind.EntriesRead) { Read = reads[number].Read });
        reads.Remove(number);
    }

    /// <summary>Counts a read by what has happened since its beginning. Called before the node gets it.</summary>
    public void Count(FollowerRead read)
    {
        bool isNeeded = process.Log!.HasSegmentOf(read.Entries);
        if (!isNeeded)
            Add(Counter.FollowerReadsCompacted);
        if (!isNeeded && read.Entries.Failure is not null)
            Add(Counter.FollowerReadsOfOtherBytes);
        if (read.Term != process.Node!.Core.Term)
            Add(Counter.FollowerReadsOfFormerTerm);
        foreach (FollowerProgress follower in process.Node.Core.Followers())
        {
            // Later entries may still be wanted, after those of another read.
            if (follower.Id == read.Follower && isNeeded)
                Add(follower.Next <= read.Entries.First ? Counter.FollowerReadsWanted : Counter.FollowerReadsUnwanted);
        }
    }

    private void Add(Counter counter) => process.Cluster.Counters[counter]++;

    private bool MustWait(ReadUnderWay read) =>
        waitsForRecycling && !IsHealed && process.Cluster.Events.Now < read.WaitsUntil
        && process.Server.Disk.Exists(WalSegment.Name(read.Read.Entries.Segment));

    private void Schedule(EventKind kind, long number) =>
        process.Schedule(random.Between(10, IsHealed ? 400 : stepMax), kind, number);

    private sealed record ReadUnderWay(FollowerRead Read, long WaitsUntil);
}
