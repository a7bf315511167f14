using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Logging;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Snapshots;
using RaftFast.Server.Threads;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Loop;

/// <summary>
/// The thread that writes snapshots at a bounded rate, and posts each to the inbox when it is complete or has failed.
/// The thread also frees the stores that installed snapshots have replaced.
/// </summary>
internal sealed class SnapshotThread : IDisposable
{
    private readonly Inbox inbox;
    private readonly long bytesPerSecond;
    private readonly ILogger logger;
    private readonly ConcurrentQueue<KeyValueStore> unused = new();
    private readonly SemaphoreSlim wanted = new(0);
    private readonly Thread thread;

    /// <summary>Set at the stop. A wait does not spin: on a busy machine each turn would cost a time slice.</summary>
    private readonly ManualResetEventSlim stopping = new(initialState: false, spinCount: 0);

    private volatile SnapshotTask? next;

    public SnapshotThread(Inbox inbox, long bytesPerSecond, ILogger logger)
    {
        this.logger = logger;
        this.inbox = inbox;
        this.bytesPerSecond = bytesPerSecond;
        thread = new Thread(Work) { Name = ThreadNames.Snapshot, IsBackground = true };
    }

    public DiskWork Writing { get; } = new("a write of a snapshot");

    public void Start() => thread.Start();

    /// <summary>Called by the loop, for one snapshot at a time.</summary>
    public void Run(SnapshotTask task)
    {
        next = task;
        wanted.Release();
    }

    /// <summary>Frees a store that nothing uses any more. Called by the loop.</summary>
    public void Free(KeyValueStore store)
    {
        unused.Enqueue(store);
        wanted.Release();
    }

    public void Dispose()
    {
        stopping.Set();
        next?.Cancel();
        wanted.Release();
        thread.Join();
        FreeUnused();
        wanted.Dispose();
        stopping.Dispose();
    }

    private void Work()
    {
        while (true)
        {
            wanted.Wait();
            if (stopping.IsSet)
                return;
            FreeUnused();
            if (next is not { } task)
                continue;
            SendRate rate = new(bytesPerSecond, TimeProvider.System);
            ProgressLine progress = new(
                string.Create(CultureInfo.InvariantCulture, $"taking a snapshot up to entry {task.Position.Index}"),
                TimeProvider.System);
            for (long written = 0; TryStep(task); written = task.Bytes)
            {
                progress.Write(logger, task.Entries, task.EntriesInAll);
                stopping.Wait(rate.Spend((int)(task.Bytes - written)));
            }
            next = null;
            inbox.Post(task);
        }
    }

    private bool TryStep(SnapshotTask task)
    {
        Writing.Begin();
        bool isUnderWay = task.Step();
        Writing.End();
        return isUnderWay;
    }

    private void FreeUnused()
    {
        while (unused.TryDequeue(out KeyValueStore? store))
            store.Dispose();
    }
}
