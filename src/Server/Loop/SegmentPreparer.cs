using Microsoft.Extensions.Logging;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// The thread that makes the log's next segment ahead of use, so that the writer never waits for it and a full disk is met
/// while there is still room: then writes are refused (507) until there is some again.
/// </summary>
internal sealed partial class SegmentPreparer : IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Wal wal;
    private readonly ILogger logger;
    private readonly SemaphoreSlim wanted = new(0);
    private readonly Thread thread;

    private volatile bool isStopping;

    public SegmentPreparer(Wal wal, ILogger logger)
    {
        this.wal = wal;
        this.logger = logger;
        thread = new Thread(Run) { Name = "raftfast-segments", IsBackground = true };
    }

    public void Start()
    {
        thread.Start();
        Wake();
    }

    /// <summary>The next segment may be missing, or old ones be done with.</summary>
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
        if (wal.TryPrepareSegment())
            return;
        LogDiskFull(logger);
        while (!isStopping && !wal.TryPrepareSegment())
            wanted.Wait(RetryAfter);
        if (wal.NextSegmentIsReady)
            LogRoomAgain(logger);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the disk has no room for the log's next segment: once the present one is full, writes are refused until space is freed")]
    private static partial void LogDiskFull(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "the disk has room for the log again")]
    private static partial void LogRoomAgain(ILogger logger);
}
