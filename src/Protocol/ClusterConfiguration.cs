using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RaftFast.Protocol;

/// <summary>The voters of a cluster and where they are. All members that were started with one list have one cluster id.</summary>
public sealed class ClusterConfiguration
{
    public ClusterConfiguration(ulong clusterId, Member[] members)
    {
        for (int i = 0; i < members.Length; i++)
            Invariant.Hold(members[i].Id > (i == 0 ? 0 : members[i - 1].Id));
        ClusterId = clusterId;
        Members = members;
    }

    public ulong ClusterId { get; }

    /// <summary>In ascending order of id.</summary>
    public IReadOnlyList<Member> Members { get; }

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
        foreach (Member member in Members)
        {
            if (member.Id == id)
                return member;
        }
        return null;
    }
}
