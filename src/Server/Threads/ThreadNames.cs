namespace RaftFast.Server.Threads;

/// <summary>
/// Names of the threads that this process starts, one constant for each kind. The process also has .NET's thread pool
/// and .NET's socket threads, which serve the sockets that epoll threads do not. SocketThreads (room Sockets) sets the
/// number of .NET's socket threads. The thread raftfast-log writes log lines: LineWriter (room Logging).
/// </summary>
internal static class ThreadNames
{
    /// <summary>Ticks, and does the loop's work that other threads leave. NodeLoop.</summary>
    public const string Loop = "raftfast-loop";

    /// <summary>Writes and syncs the log, one batch at a time. WalWriter.</summary>
    public const string Wal = "raftfast-wal";

    /// <summary>Makes the log's next segment before it is needed, and deletes old segments. SegmentPreparer.</summary>
    public const string Segments = "raftfast-segments";

    /// <summary>Reads entries of the log for followers that are far behind. LogReadThread.</summary>
    public const string Reader = "raftfast-reader";

    /// <summary>Writes snapshots of the store into files. SnapshotThread.</summary>
    public const string Snapshot = "raftfast-snapshot";

    /// <summary>Reads a snapshot at the start, while the main thread loads it. SnapshotReadAhead.</summary>
    public const string ReadAhead = "raftfast-read-ahead";

    /// <summary>Receives, stores and loads one snapshot that another member sends. SnapshotAcceptor.</summary>
    public const string InstallSnapshot = "raftfast-install";

    /// <summary>Waits for sockets, and handles the bytes that arrive. EpollThread (room Sockets).</summary>
    public static string Sockets(int number) => $"raftfast-io-{number}";

    /// <summary>Records the data directory of another member. PeerAdmission.</summary>
    public const string Admit = "raftfast-admit";

    /// <summary>Sends one snapshot to the peer. PeerNetwork.</summary>
    public static string SendSnapshot(ulong peer) => $"raftfast-send-{peer}";
}
