using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Tests.Peers;

[Collection(nameof(Alone))]
public sealed class PeerMemoryTests
{
    [Fact]
    public async Task Member_that_is_let_go_leaves_no_memory_behind()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new();
        long ring = new PeerOptions().SendBytesMax;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 3; i++)
        {
            first.Configure(Dialling.Cluster([2], [second.Port]));
            first.Reader.Next<PeerConnected>();
            Assert.True(GC.GetTotalMemory(forceFullCollection: true) > before + ring / 2);
            first.Network.Send(Frames.Heartbeat(1, to: 2), default);
            first.Network.Flush();
            first.Configure(Dialling.Cluster([], [], removed: [2]));
            first.Reader.Next<PeerLost>();
            Eventually.True(() => GC.GetTotalMemory(forceFullCollection: true) < before + ring / 2);
        }
    }
}
