namespace RaftFast.Protocol;

/// <summary>What a <see cref="MembershipChange"/> asks for. The values are on the wire.</summary>
public enum MembershipChangeKind : byte
{
    /// <summary>As a learner, which the leader promotes once it has caught up.</summary>
    Add = 1,

    Remove = 2,

    /// <summary>A member is to be found at another address. It, or who has heard it from it, tells the leader.</summary>
    Move = 3,
}
