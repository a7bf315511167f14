using Microsoft.Extensions.Logging;
using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// The thread that makes the log's next segment before it is needed. So the writer never waits for a segment, and a
/// full disk is noticed while the current segment still has room. Writes are then refused (507) until the disk has room
/// again.
/// </summary>
internal sealed partial class SegmentPreparer : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Wal wal;
    private readonly Inbox inbox;
    private readonly ILogger logger;
    private readonly SegmentPrepared prepared = new();
    private readonly SemaphoreSlim wanted = new(0);
    private readonly Thread thread;

    private volatile bool isStopping;

    public SegmentPreparer(Wal wal, Inbox inbox, ILogger logger)
    {
        this.wal = wal;
        this.inbox = inbox;
        this.logger = logger;
        thread = new Thread(Run) { Name = ThreadNames.Segments, IsBackground = true };
    }

    public DiskWork Work { get; } = new("the preparation of the log's next segment");

    public void Start()
    {
        thread.Start();
        Wake();
    }

    /// <summary>Wakes the thread: the next segment may be missing, or old segments may have to be deleted.</summary>
    public void Wake()
    {
        if (wanted.CurrentCount == 0)
            wanted.Release();
    }

    public void Dispose()
    {
        isStopping = true;
        Wake();
        thread.Join();
        wanted.Dispose();
    }

    private void Run()
    {
        while (!isStopping)
        {
            wanted.Wait();
            if (!isStopping && (!wal.NextSegmentIsReady || wal.HasSegmentsToDelete))
                Prepare();
        }
    }

    private void Prepare()
    {
        if (TryPrepare())
            return;
        LogDiskFull(logger);
        while (!isStopping && !TryPrepare())
            wanted.Wait(RetryAfter);
        if (wal.NextSegmentIsReady)
            LogRoomAgain(logger);
    }

    private bool TryPrepare()
    {
        Work.Begin();
        bool isPrepared = wal.TryPrepareSegment();
        Work.End();
        if (isPrepared)
            inbox.Post(prepared);
        return isPrepared;
    }

    [LoggerMessage(
        LogLevel.Error,
        "the disk has no room for the log's next segment: once this segment is full, writes are refused; "
        + "free some space, or raise the quota or the file size limit (ulimit -f)")]
    private static partial void LogDiskFull(ILogger logger);

    [LoggerMessage(LogLevel.Information, "the disk has room for the log again")]
    private static partial void LogRoomAgain(ILogger logger);
}

/// <summary>The log may have room again: what waited for the next segment can continue.</summary>
internal sealed class SegmentPrepared : InboxSignal;
