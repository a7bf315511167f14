namespace RaftFast.Server.Node;

/// <summary>
/// Peers from which a frame has come on their present connection to this node. The peer answers a later question on
/// that connection. If the connection ends, this node learns of the end after the question, and gives the question up.
/// Without a connection the peer drops its answers, and this node would wait for answers that never come.
/// </summary>
internal sealed class HeardPeers
{
    private readonly List<ulong> heard = [];

    public bool Has(ulong peer) => heard.Contains(peer);

    /// <summary>A frame has come from this peer.</summary>
    public void Add(ulong peer)
    {
        if (!heard.Contains(peer))
            heard.Add(peer);
    }

    /// <summary>The peer's connection to this node has ended, and none of its frames come any more.</summary>
    public void Remove(ulong peer) => heard.Remove(peer);
}
