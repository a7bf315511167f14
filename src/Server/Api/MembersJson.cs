using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Peers;

namespace RaftFast.Server.Api;

/// <summary>
/// Answer to <c>GET /v1/members</c>: the configuration in effect, with what this member knows of each other member.
/// Only the leader knows the lag and the last contact of all members.
/// </summary>
internal sealed record MembersJson(ulong Id, ulong? Leader, long Term, IReadOnlyList<MemberJson> Members)
{
    /// <param name="announced">Returns what a member announced; null if it has announced nothing.</param>
    public static MembersJson Of(Observation seen, Func<ulong, Announcement?> announced)
    {
        NodeReport node = seen.Node;
        List<MemberJson> members = [];
        foreach (Member member in node.Cluster.Members)
            members.Add(OfMember(seen, member, announced(member.Id)));
        return new MembersJson(node.Id, node.LeaderId == 0 ? null : node.LeaderId, node.Term, members);
    }

    private static MemberJson OfMember(Observation seen, Member member, Announcement? announced)
    {
        NodeReport node = seen.Node;
        bool isSelf = member.Id == node.Id;
        bool isLeader = member.Id == node.LeaderId;
        FollowerProgress? progress = ProgressOf(node, member.Id);
        bool? isConnected = isSelf ? null : IsConnected(seen.Peers, member.Id);
        long? lag = null;
        double? contact = null;
        if (progress is { } follower)
        {
            lag = Math.Max(0, node.Last.Index - follower.Match);
            contact = Words.SecondsOf(follower.TicksSinceHeard);
        }
        else if (isSelf || isLeader)
        {
            // A follower knows its own unapplied entries, and the time since it last heard from the leader.
            lag = isLeader ? 0 : Math.Max(0, node.Committed - node.Applied);
            contact = isSelf ? 0 : Words.SecondsOf(node.TicksSinceLeader);
        }
        return new MemberJson
        {
            Id = member.Id,
            Role = isLeader ? "leader" : Words.Of(member.Role),
            IsVoter = member.IsVoter,
            IsSelf = isSelf,
            PeerUrl = member.Address.ToString(),
            ClientUrl = TextOrNull(announced?.ClientUrl),
            ApiUrl = TextOrNull(announced?.ApiUrl),
            Version = TextOrNull(announced?.Version),
            IsConnected = isConnected,
            Replication = progress is { } known ? Words.Of(known.State) : null,
            LagEntries = lag,
            LastContactSeconds = contact,
            Ails = isSelf ? Ailments.OfSelf(seen) : Ailments.OfOther(node, member, progress, isConnected == true),
        };
    }

    private static FollowerProgress? ProgressOf(NodeReport node, ulong id)
    {
        foreach (FollowerProgress follower in node.Followers)
        {
            if (follower.Id == id)
                return follower;
        }
        return null;
    }

    private static bool IsConnected(IReadOnlyList<PeerReport> peers, ulong id)
    {
        foreach (PeerReport peer in peers)
        {
            if (peer.Peer == id)
                return peer.IsConnected;
        }
        return false;
    }

    private static string? TextOrNull(string? text) => string.IsNullOrEmpty(text) ? null : text;
}

/// <summary>One member. A value that this node does not know is null.</summary>
internal sealed record MemberJson
{
    public required ulong Id { get; init; }

    /// <summary>leader, voter, learner or leaving.</summary>
    public required string Role { get; init; }

    public required bool IsVoter { get; init; }

    public required bool IsSelf { get; init; }

    public required string PeerUrl { get; init; }

    public required string? ClientUrl { get; init; }

    public required string? ApiUrl { get; init; }

    public required string? Version { get; init; }

    /// <summary>True while this node is connected to the member; null for this node itself.</summary>
    public required bool? IsConnected { get; init; }

    /// <summary>The leader's mode of replication to the member: probe, replicate or snapshot.</summary>
    public required string? Replication { get; init; }

    /// <summary>Entries that the member lacks of the leader's log.</summary>
    public required long? LagEntries { get; init; }

    public required double? LastContactSeconds { get; init; }

    /// <summary>Faults of the member that this node can tell, a sentence each.</summary>
    public required IReadOnlyList<string> Ails { get; init; }
}
