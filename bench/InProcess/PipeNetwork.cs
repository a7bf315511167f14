using System.IO.Pipelines;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Peers.Outbound;
using RaftFast.Server.Threads;

namespace RaftFast.Bench.InProcess;

/// <summary>
/// One member's links to the other members of a cluster in this process. The links use the product's send rings and
/// inbound connections, with pipes instead of sockets. Addresses don't change, and no snapshot is sent.
/// </summary>
internal sealed class PipeNetwork(ulong from, Inbox inbox) : IPeerNetwork
{
    private readonly PeerOptions options = new();
    private readonly List<Link> links = [];

    /// <summary>Connects to another member. To be called before the loops start.</summary>
    public void Connect(ulong to, Inbox theirs)
    {
        byte[] memory = GC.AllocateUninitializedArray<byte>(options.SendBytesMax, pinned: true);
        SendRing ring = new(memory, options.BulkBytesMax, inbox, new PeerDrained(to));
        Pipe pipe = new(new System.IO.Pipelines.PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
            useSynchronizationContext: false));
        InboundConnection inbound =
            new(new InboundMember(from, options), pipe.Reader, pipe.Reader.CancelPendingRead, theirs, keep: null);
        Task receiving = Task.Run(inbound.RunAsync);
        Task sending = Task.Run(() => ring.SendAsync(pipe.Writer.AsStream()));
        links.Add(new Link(to, ring, inbound, receiving, sending));
    }

    public long OldestSnapshotBeingSent => long.MaxValue;

    public bool CanSend(ulong peer) => Find(peer).CanSendBulk();

    public bool Send(in Message message, ReadOnlySpan<byte> records)
    {
        if (!Begin(message, records.Length))
            return false;
        Write(message.To, records);
        return true;
    }

    public bool Begin(in Message message, int recordsLength) => Find(message.To).TryBegin(message, recordsLength);

    public void Write(ulong peer, ReadOnlySpan<byte> records) => Find(peer).Write(records);

    public void Flush()
    {
        foreach (Link link in links)
            link.Ring.Flush();
    }

    public bool SendSnapshot(ulong peer, long term) => false;

    public void Configure(ClusterConfiguration effective, ClusterConfiguration committed)
    {
    }

    public void Announced(ulong peer, PeerAddress address)
    {
    }

    /// <summary>Closes all links. To be called after the loops have ended.</summary>
    public void End()
    {
        foreach (Link link in links)
        {
            link.Ring.Close();
            link.Inbound.End();
            Task.WaitAll(link.Sending, link.Receiving);
        }
    }

    private SendRing Find(ulong peer)
    {
        foreach (Link link in links)
        {
            if (link.Peer == peer)
                return link.Ring;
        }
        throw new InvalidOperationException($"there is no member {peer}");
    }

    private sealed record Link(ulong Peer, SendRing Ring, InboundConnection Inbound, Task Receiving, Task Sending);
}
