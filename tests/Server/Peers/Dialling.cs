using RaftFast.Protocol;
using RaftFast.Server.Peers;

namespace RaftFast.Server.Tests.Peers;

/// <summary>The dialling side of member 1, whose other members 2 and 3 listen at the given ports.</summary>
internal sealed class Dialling : IAsyncDisposable
{
    public Dialling(int port2, int port3 = 0, PeerOptions? options = null)
    {
        Member[] members = [new(1, new PeerAddress("127.0.0.1", 1)), new(2, new PeerAddress("127.0.0.1", port2))];
        if (port3 != 0)
            members = [.. members, new(3, new PeerAddress("127.0.0.1", port3))];
        Inbox = new Inbox(PeerOptions.InboxItemsPerPeer * 2);
        Reader = new InboxReader(Inbox);
        Network = new PeerNetwork(1, new ClusterConfiguration(Node.ClusterId, members), Inbox, Log, options ?? Fast, randomSeed: 1);
        Network.Start();
    }

    public static PeerOptions Fast => new()
    {
        BackoffMin = TimeSpan.FromMilliseconds(1),
        BackoffMax = TimeSpan.FromMilliseconds(10),
    };

    public Inbox Inbox { get; }

    public InboxReader Reader { get; }

    public RecordedLog Log { get; } = new();

    public PeerNetwork Network { get; }

    public ValueTask DisposeAsync() => Network.DisposeAsync();
}
