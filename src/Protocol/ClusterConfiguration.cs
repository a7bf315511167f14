using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RaftFast.Protocol;

/// <summary>
/// The members of a cluster, what each is and where, and who was one. Immutable. It is an entry of the log
/// (<see cref="ConfigurationRecord"/>), and the one that the log begins with is the data directory's.
/// All members that were first started with one list have one cluster id.
/// </summary>
public sealed class ClusterConfiguration
{
    /// <summary>Members at once, of all roles; a cluster that anybody needs has a tenth of it.</summary>
    public const int MembersMax = 64;

    /// <summary>Removed members that are remembered: one a day for 44 years.</summary>
    public const int RemovedMax = 16384;

    private readonly Member[] members;
    private readonly ulong[] removedIds;

    /// <param name="removedIds">In ascending order.</param>
    public ClusterConfiguration(ulong clusterId, Member[] members, ulong[]? removedIds = null, bool leavesJointItself = false)
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

    /// <summary>In ascending order of id. Empty at a node that has yet to hear from the cluster that it joins.</summary>
    public IReadOnlyList<Member> Members => members;

    /// <summary>Ids that were members' once and will be no other's, in ascending order.</summary>
    public IReadOnlyList<ulong> RemovedIds => removedIds;

    /// <summary>Two sets of voters decide together (§6): a change of more than one voter is under way.</summary>
    public bool IsJoint { get; }

    /// <summary>The leader leaves the joint configuration as soon as it is committed.</summary>
    public bool LeavesJointItself { get; }

    /// <summary>The configuration that a first start with <c>--cluster</c> makes: the N-th address is member N's.</summary>
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

    /// <returns>What no configuration may be; null for a good one.</returns>
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
