namespace RaftFast.Protocol;

/// <summary>What the accepting side answers to a <see cref="Handshake"/>. The values are on the wire.</summary>
public enum HandshakeStatus : uint
{
    Accepted = 0,
    UnsupportedVersion = 1,
    WrongCluster = 2,

    /// <summary>The connection reached another member than the one it names.</summary>
    WrongMember = 3,

    /// <summary>The sender is no member.</summary>
    UnknownMember = 4,
}
