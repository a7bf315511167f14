using RaftFast.Protocol;
using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

/// <summary>A network that records each message, and sends none.</summary>
internal sealed class RecordedNetwork : IPeerNetwork
{
    public List<Message> Sent { get; } = [];

    /// <summary>Messages whose records followed in pieces.</summary>
    public List<Message> Begun { get; } = [];

    public long OldestSnapshotBeingSent => long.MaxValue;

    public bool CanSend(ulong peer) => true;

    public bool Send(in Message message, ReadOnlySpan<byte> records)
    {
        Sent.Add(message);
        return true;
    }

    public bool Begin(in Message message, int recordsLength)
    {
        Begun.Add(message);
        return true;
    }

    public void Write(ulong peer, ReadOnlySpan<byte> records)
    {
    }

    public bool SendSnapshot(ulong peer, long term) => false;

    public void Flush()
    {
    }

    public void Configure(ClusterConfiguration effective, ClusterConfiguration committed)
    {
    }

    public void Announced(ulong peer, PeerAddress address)
    {
    }
}
