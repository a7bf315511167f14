namespace RaftFast.Storage.Disk;

/// <summary>How a write gets to stable storage.</summary>
public enum DiskWriteMode
{
    /// <summary>O_DIRECT and O_DSYNC: one request to the device, which writes through its cache. Where the file system refuses O_DIRECT, O_DSYNC alone.</summary>
    Direct,

    /// <summary>Through the page cache, then fdatasync.</summary>
    Buffered,

    /// <summary>None does: files are opened for reading only.</summary>
    ReadOnly,
}
