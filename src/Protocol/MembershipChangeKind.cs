namespace RaftFast.Protocol;

/// <summary>What a <see cref="MembershipChange"/> asks for. The values are on the wire.</summary>
public enum MembershipChangeKind : byte
{
    /// <summary>As a learner, which the leader promotes once it has caught up.</summary>
    Add = 1,

    Remove = 2,
}
