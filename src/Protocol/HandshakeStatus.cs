namespace RaftFast.Protocol;

/// <summary>What the accepting side answers to a <see cref="Handshake"/>. The values are on the wire.</summary>
public enum HandshakeStatus : uint
{
    Accepted = 0,
    UnsupportedVersion = 1,
    WrongCluster = 2,

    /// <summary>The connection reached another member than the one it names.</summary>
    WrongMember = 3,

    /// <summary>More ids have come than any cluster has members.</summary>
    UnknownMember = 4,

    /// <summary>The sender was a member and has been removed: it is to stop.</summary>
    Removed = 5,

    /// <summary>The sender's id was met with another data directory: what it had promised from there is forgotten, so it may promise nothing.</summary>
    DirectoryReplaced = 6,

    /// <summary>The receiver has just learnt from this handshake which cluster it joins: dial again.</summary>
    Joining = 7,
}
