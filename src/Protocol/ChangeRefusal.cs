namespace RaftFast.Protocol;

/// <summary>Why a <see cref="MembershipChange"/> was not made. The values are on the wire.</summary>
public enum ChangeRefusal
{
    None = 0,

    /// <summary>Not the leader, not yet ready to change anything, or handing over leadership first: ask again.</summary>
    NotNow = 1,

    /// <summary>Another change is under way: ask again.</summary>
    ChangeUnderWay = 2,

    /// <summary>The id is a member's under another address.</summary>
    IdInUse = 3,

    IdWasRemoved = 4,

    AddressInUse = 5,

    /// <summary>Nobody would be left to agree.</summary>
    LastVoter = 6,

    TooManyMembers = 7,

    DiskFull = 8,
}
