using Microsoft.Extensions.Logging;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Sockets.Epoll;
using RaftFast.Server.Threads;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>Makes the writer of the log that the operator wants, and logs which it is.</summary>
internal static partial class WalWriters
{
    /// <summary>Opens the ring through which the log is to be written.</summary>
    /// <param name="hasEpoll">True if a thread waits for sockets in epoll.</param>
    /// <returns>Null if a thread is to write the log.</returns>
    /// <exception cref="OperatingException">io_uring is wanted, but refused.</exception>
    public static DiskRing? TryOpenRing(LogIo io, IDisk disk, bool hasEpoll, ILogger log)
    {
        string refusal = "it needs --transport epoll";
        DiskRing? ring = io == LogIo.Thread || !hasEpoll ? null : DiskRing.TryOpen(disk, out refusal);
        if (io == LogIo.Uring && ring is null)
        {
            throw new OperatingException(
                $"can't write the log through io_uring: {refusal}; give --log-io auto or thread, or allow io_uring");
        }
        if (ring is not null)
            LogUring(log);
        else if (io == LogIo.Thread)
            LogThread(log);
        else
            LogRefused(log, refusal);
        return ring;
    }

    /// <param name="ring">Belongs to the writer; null for a thread.</param>
    /// <param name="sockets">Thread that becomes the owner of the ring; null without a ring.</param>
    public static WalWriter Create(
        Wal wal, Inbox inbox, SegmentPreparer segments, DiskRing? ring, EpollThread? sockets) => ring is null
        ? new WalThreadWriter(wal, inbox, segments)
        : new WalRingWriter(wal, inbox, segments, ring, sockets!);

    [LoggerMessage(LogLevel.Information, "the log is written through io_uring")]
    private static partial void LogUring(ILogger log);

    [LoggerMessage(LogLevel.Information, "the log is written by a thread")]
    private static partial void LogThread(ILogger log);

    [LoggerMessage(LogLevel.Information, "the log is written by a thread, not through io_uring: {Refusal}")]
    private static partial void LogRefused(ILogger log, string refusal);
}
