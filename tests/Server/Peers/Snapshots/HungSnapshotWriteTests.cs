using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Tests.Peers.Snapshots;

/// <summary>A write of the snapshot that member 1 receives hangs, and returns late.</summary>
public sealed class HungSnapshotWriteTests : IDisposable
{
    /// <summary>Longer than any write that does not hang.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly TemporaryDirectory leader = new();
    private readonly List<byte[]> frames;

    public HungSnapshotWriteTests() => frames = SnapshotFiles.Frames(
        SnapshotStore.Open(new FileDisk(leader.Location, DiskWriteMode.Buffered), Node.ClusterId));

    public void Dispose() => leader.Dispose();

    [Fact]
    public async Task Sender_and_operator_learn_of_it()
    {
        await using Node node = new(options: new PeerOptions { SnapshotWorkMax = Patience });
        using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
        Assert.False(node.Acceptor.ReceivingHangs);
        node.Hanging.Hang();
        dialer.Send(frames[1]);
        dialer.AssertClosed();
        Assert.True(node.Acceptor.ReceivingHangs);
        AssertLogged(node, "the disk does not answer: a write of the snapshot from member 2 has not returned");
        node.Hanging.Continue();
        AssertLogged(node, "the disk answers again: the write of the snapshot from member 2 has returned");
        Assert.False(node.Acceptor.ReceivingHangs);
    }

    [Fact]
    public async Task Nothing_else_is_received_until_it_has_returned_and_then_the_transfer_continues()
    {
        await using Node node = new(options: new PeerOptions { SnapshotEntryMax = TimeSpan.FromMilliseconds(20) });
        using SnapshotDialer hung = SnapshotDialer.Continued(node, frames);
        node.Hanging.Hang();
        hung.Send(frames[1]);
        node.Hanging.WaitUntilItHangs();
        for (int i = 0; i < 3; i++)
        {
            using SnapshotDialer busy = new(node);
            busy.Send(frames[0]);
            Assert.Equal(InstallStatus.Busy, busy.Answer().Status);
        }
        hung.AssertClosed();
        AssertLogged(node, "put off, and offered again later: the one before it");
        node.Hanging.Continue();
        Eventually.True(() =>
        {
            using SnapshotDialer again = new(node);
            again.Send(frames[0]);
            (InstallStatus status, int chunks) = again.Answer();
            if (status == InstallStatus.Busy)
                return false;
            Assert.Equal((InstallStatus.Continue, 1), (status, chunks));
            again.Send(frames[2..]);
            SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
            Assert.Equal(InstallStatus.Installed, again.Answer().Status);
            return true;
        });
    }

    [Fact]
    public async Task Sender_that_gives_up_waiting_lets_no_other_in()
    {
        await using Node node = new(options: new PeerOptions { SnapshotEntryMax = Patience });
        using SnapshotDialer hung = SnapshotDialer.Continued(node, frames);
        node.Hanging.Hang();
        hung.Send(frames[1]);
        node.Hanging.WaitUntilItHangs();
        using (SnapshotDialer waits = new(node))
        {
            waits.Send(frames[0]);
            hung.AssertClosed();
        }
        using SnapshotDialer next = new(node);
        next.Send(frames[0]);
        Assert.Equal(InstallStatus.Busy, next.Answer().Status);
        node.Hanging.Continue();
    }

    private static void AssertLogged(Node node, string text) =>
        Eventually.True(() => node.Log.Lines.Any(line => line.Contains(text, StringComparison.Ordinal)));
}
