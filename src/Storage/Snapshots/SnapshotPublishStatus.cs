namespace RaftFast.Storage.Snapshots;

public enum SnapshotPublishStatus
{
    /// <summary>The snapshot is durable, and the newest.</summary>
    Published,

    /// <summary>One of the same entry or a later one is there already: this one is deleted.</summary>
    Stale,

    /// <summary>Nothing is left of it.</summary>
    DiskFull,
}
