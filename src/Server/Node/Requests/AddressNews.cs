using RaftFast.Consensus;
using RaftFast.Protocol;

namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Addresses that members have announced. While the configuration says otherwise the addresses are news: the leader
/// proposes the configuration that moves the member, and other members tell the leader.
/// </summary>
internal sealed class AddressNews(RaftCore core, IPeerNetwork network)
{
    /// <summary>Milliseconds between two attempts to tell the leader.</summary>
    private const long RetryMilliseconds = 50;

    private readonly SortedList<ulong, PeerAddress> announced = [];

    /// <summary>True while an announced address differs from the configuration's.</summary>
    private bool hasNews;
    private long nextTelling;

    /// <summary>A member has announced this address, whatever the configuration says.</summary>
    public void Announced(ulong member, PeerAddress address)
    {
        announced[member] = address;
        LookForNews();
    }

    /// <summary>
    /// Another configuration is in effect. If it moves a member, the new address is newer than the member's
    /// announcement, which is dropped.
    /// </summary>
    public void Configured(ClusterConfiguration before, ClusterConfiguration after)
    {
        foreach (Member member in after.Members)
        {
            bool isMoved = before.Find(member.Id) is { } former && former.Address != member.Address;
            if (isMoved && member.Id != core.Id)
                announced.Remove(member.Id);
        }
        LookForNews();
    }

    /// <summary>
    /// Leader: the configuration that gives a member the address that it has announced; null when there is no news.
    /// </summary>
    public ClusterConfiguration? NextMove()
    {
        if (!hasNews)
            return null;
        for (int i = announced.Count - 1; i >= 0; i--)
        {
            if (TryMove(announced.GetKeyAtIndex(i), announced.GetValueAtIndex(i)) is { } next)
                return next;
        }
        return null;
    }

    /// <summary>
    /// Sends the news to the leader, because the leader and a member that has moved may be unable to find each other.
    /// The leader doesn't answer: the news is sent again until the configuration has changed.
    /// </summary>
    /// <param name="nextNumber">Number of the next message to the leader; incremented for each message sent.</param>
    public void TellLeader(long now, ref long nextNumber)
    {
        if (!hasNews || core.IsLeader || now < nextTelling)
            return;
        nextTelling = now + RetryMilliseconds;
        foreach ((ulong id, PeerAddress address) in announced)
        {
            if (core.LeaderId == 0 || !IsNews(id, address))
                continue;
            Message message = new()
            {
                Type = MessageType.ChangeMembers,
                From = core.Id,
                To = core.LeaderId,
                Context = nextNumber++,
                Count = 1,
            };
            network.Send(message, new MembershipChange(MembershipChangeKind.Move, id, address).ToRecord());
        }
    }

    private ClusterConfiguration? TryMove(ulong id, PeerAddress address)
    {
        ClusterConfiguration current = core.Configuration.Cluster;
        if (current.IsJoint || !IsNews(id, address))
            return null;
        foreach (Member other in current.Members)
        {
            if (other.Address == address)
                return null;
        }
        return ConfigurationEditor.Simple(current, [new(MemberEditKind.Move, id, address)], out _)!;
    }

    private void LookForNews()
    {
        hasNews = false;
        foreach ((ulong id, PeerAddress address) in announced)
            hasNews |= IsNews(id, address);
    }

    private bool IsNews(ulong id, PeerAddress address) =>
        core.Configuration.Cluster.Find(id) is { } member && member.Address != address;
}
