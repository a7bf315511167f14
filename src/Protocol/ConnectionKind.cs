namespace RaftFast.Protocol;

/// <summary>What a connection between members carries. The values are on the wire.</summary>
public enum ConnectionKind
{
    /// <summary>Frames, from the dialling side to the accepting one.</summary>
    Messages = 0,

    /// <summary>One snapshot, and the answers to it: bulk that nothing waits behind.</summary>
    Snapshot = 1,
}
