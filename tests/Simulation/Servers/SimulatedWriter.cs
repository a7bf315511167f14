using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation.Servers;

/// <summary>
/// Writes the log of a process as WalWriter does, one batch at a time, and prepares segments as SegmentPreparer does.
/// </summary>
internal sealed class SimulatedWriter(ServerProcess process)
{
    private WalBatch batch;

    /// <summary>True while a write is in progress.</summary>
    public bool IsWriting { get; private set; }

    public void Wake()
    {
        if (!IsWriting)
            process.Schedule(process.Random.Between(1, 20), EventKind.DiskBegins);
    }

    public void WakeSegments() => process.Schedule(process.Random.Between(1, 1_000), EventKind.PrepareSegment);

    /// <summary>Takes the published batch and begins its write, unless a write is in progress.</summary>
    public void Begin()
    {
        if (IsWriting || !process.Log!.Writer.TryTake(out batch))
            return;
        IsWriting = true;
        Scenario scenario = process.Cluster.Scenario;
        long delay = process.Random.Between(scenario.DiskLatencyMin, scenario.DiskLatencyMax);
        if (process.Random.OneIn(scenario.DiskStallOneIn))
            delay += process.Random.Between(0, scenario.DiskStallMax);
        process.Schedule(delay, EventKind.DiskCompletes);
    }

    /// <summary>Writes the taken batch to the disk, unless its segment cannot get a name.</summary>
    public bool TryWrite()
    {
        if (!process.Log!.Writer.TryOpen(batch))
            return false;
        process.Log.Writer.Write(batch);
        return true;
    }

    /// <summary>Completes the write in progress and begins the next. A log that stays idle is sealed later.</summary>
    public void Complete()
    {
        HungWrites hung = process.Server.Disk.HungWrites;
        if (hung.IsHung)
        {
            process.Cluster.Counters[Counter.WritesHung]++;
            hung.Hold(() => process.Server.Survive(Complete));
            return;
        }
        if (!TryWrite())
        {
            process.Cluster.Counters[Counter.SegmentsWithoutName]++;
            process.Schedule(100_000, EventKind.DiskCompletes);
            return;
        }
        IsWriting = false;
        process.Loop.Add(new Input(InputKind.BatchDurable) { Batch = batch });
        PrepareSegment();
        Begin();
        if (!IsWriting)
            process.Schedule(100_000, EventKind.Seal, batch.Number);
    }

    /// <summary>Writes a seal if no batch followed batch <paramref name="number"/>.</summary>
    public void Seal(long number)
    {
        if (IsWriting || batch.Number != number || !process.Log!.Writer.TryTakeSeal(out batch))
            return;
        IsWriting = true;
        process.Schedule(process.Cluster.Scenario.DiskLatencyMin, EventKind.DiskCompletes);
    }

    /// <summary>Prepares the next segment and deletes old segments. Tries again while the disk is full.</summary>
    public void PrepareSegment()
    {
        Wal log = process.Log!;
        if (log.HasSegmentsToDelete)
            process.Cluster.Counters[Counter.LogsCompacted]++;
        if ((!log.NextSegmentIsReady || log.HasSegmentsToDelete) && !log.TryPrepareSegment())
            process.Schedule(1_000_000, EventKind.PrepareSegment);
    }
}
