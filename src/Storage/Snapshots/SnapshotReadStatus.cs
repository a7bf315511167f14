namespace RaftFast.Storage.Snapshots;

public enum SnapshotReadStatus
{
    /// <summary>Another chunk.</summary>
    Chunk,

    /// <summary>The footer: all was there and intact.</summary>
    End,

    /// <summary>The file can't be used: <see cref="SnapshotReader.Damage"/> says why. What was read before is to be thrown away.</summary>
    Damaged,
}
