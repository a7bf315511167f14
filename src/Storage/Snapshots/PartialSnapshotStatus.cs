namespace RaftFast.Storage.Snapshots;

public enum PartialSnapshotStatus
{
    /// <summary>Taken; more is to come.</summary>
    Incomplete,

    /// <summary>All of the snapshot is there, intact and durable: it can be published.</summary>
    Complete,

    /// <summary>Not what a sound sender would send here. What was received before stays.</summary>
    Invalid,

    /// <summary>A snapshot of the same entry or a later one is there already.</summary>
    Stale,

    /// <summary>There was no room, and nothing is left of what was received.</summary>
    DiskFull,
}
