using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RaftFast.Protocol;

/// <summary>
/// The members of a cluster with their roles and addresses, and the ids of removed members. Immutable.
/// Each change is an entry of the log (<see cref="ConfigurationRecord"/>); the data directory holds the initial
/// configuration. Nodes that are first started with the same list of addresses have the same cluster id.
/// </summary>
public sealed class ClusterConfiguration
{
    /// <summary>Maximum number of members, of all roles: about ten times a large cluster.</summary>
    public const int MembersMax = 64;

    /// <summary>Maximum number of removed members: one a day for 44 years.</summary>
    public const int RemovedMax = 16384;

    private readonly Member[] members;
    private readonly ulong[] removedIds;

    /// <param name="removedIds">Ids of removed members, in ascending order.</param>
    public ClusterConfiguration(
        ulong clusterId, Member[] members, ulong[]? removedIds = null, bool leavesJointItself = false)
    {
        removedIds ??= [];
        Invariant.Hold(Flaw(members, removedIds) is null);
        ClusterId = clusterId;
        this.members = members;
        this.removedIds = removedIds;
        LeavesJointItself = leavesJointItself;
        foreach (Member member in members)
            IsJoint |= member.IsOutgoingVoter;
    }

    public ulong ClusterId { get; }

    /// <summary>
    /// Members in ascending order of id. Empty at a node that waits to hear from the cluster that it joins.
    /// </summary>
    public IReadOnlyList<Member> Members => members;

    /// <summary>Ids of removed members, in ascending order. No other node ever gets one of these ids.</summary>
    public IReadOnlyList<ulong> RemovedIds => removedIds;

    /// <summary>True while two voter sets decide together (§6): a change of more than one voter is under way.</summary>
    public bool IsJoint { get; }

    /// <summary>True if the leader leaves this joint configuration as soon as the configuration is committed.</summary>
    public bool LeavesJointItself { get; }

    /// <summary>
    /// Makes the configuration of a first start with <c>--cluster</c>: the N-th address belongs to member N.
    /// </summary>
    public static ClusterConfiguration Bootstrap(IReadOnlyList<PeerAddress> addresses)
    {
        Member[] members = new Member[addresses.Count];
        for (int i = 0; i < members.Length; i++)
            members[i] = new Member((ulong)i + 1, addresses[i]);
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(',', addresses)));
        return new ClusterConfiguration(BinaryPrimitives.ReadUInt64LittleEndian(digest), members);
    }

    public Member? Find(ulong id)
    {
        foreach (Member member in members)
        {
            if (member.Id == id)
                return member;
        }
        return null;
    }

    public bool WasRemoved(ulong id) => Array.BinarySearch(removedIds, id) >= 0;

    /// <summary>Describes a rule of configurations that the arguments violate; null if they violate none.</summary>
    internal static string? Flaw(ReadOnlySpan<Member> members, ReadOnlySpan<ulong> removedIds)
    {
        if (members.Length > MembersMax || removedIds.Length > RemovedMax)
            return "too many members";
        ulong previous = 0;
        foreach (Member member in members)
        {
            if (member.Id <= previous)
                return "ids don't ascend";
            if (removedIds.BinarySearch(member.Id) >= 0)
                return "a removed id is a member's";
            if (member.Role == MemberRole.Leaving && !member.IsOutgoingVoter)
                return "a member has no role";
            previous = member.Id;
        }
        previous = 0;
        foreach (ulong id in removedIds)
        {
            if (id <= previous)
                return "removed ids don't ascend";
            previous = id;
        }
        return null;
    }
}
