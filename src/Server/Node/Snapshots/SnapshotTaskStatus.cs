namespace RaftFast.Server.Node.Snapshots;

internal enum SnapshotTaskStatus
{
    UnderWay,

    /// <summary>The snapshot is durable, and the newest.</summary>
    Done,

    /// <summary>Nothing is left of the attempt.</summary>
    DiskFull,

    /// <summary>A newer one has been installed meanwhile; nothing is left of this one.</summary>
    Cancelled,
}
