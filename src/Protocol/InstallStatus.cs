namespace RaftFast.Protocol;

/// <summary>What a server answers to a snapshot that it is sent. The values are on the wire.</summary>
public enum InstallStatus
{
    /// <summary>The chunks behind those that are there are wanted.</summary>
    Continue = 1,

    Installed = 2,

    /// <summary>It holds all that the snapshot covers, or knows of a later term.</summary>
    NotWanted = 3,

    /// <summary>There was no room for it, and nothing of it is there.</summary>
    DiskFull = 4,

    /// <summary>Another snapshot is on its way to it, from a leader that may be as good.</summary>
    Busy = 5,
}
