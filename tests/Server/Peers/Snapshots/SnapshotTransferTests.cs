using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Tests.Peers.Snapshots;

/// <summary>Member 1 sends a snapshot, member 2 receives it, over real sockets, from and to real disks.</summary>
public sealed class SnapshotTransferTests
{
    [Fact]
    public async Task Snapshot_arrives_byte_for_byte()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        SnapshotFiles.Take(first.Snapshots);
        Assert.Equal(long.MaxValue, first.Network.OldestSnapshotBeingSent);
        Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        Assert.Equal(20, first.Network.OldestSnapshotBeingSent);
        ReceivedSnapshot received = second.Reader.Next<ReceivedSnapshot>();
        Assert.Equal(1ul, received.From);
        Assert.False(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        first.Reader.AssertEmpty();
        SnapshotFiles.Install(received);
        AssertSent(first, installed: 20);
        AssertSameFile(first, second);
        Eventually.True(() => first.Network.OldestSnapshotBeingSent == long.MaxValue);
        Assert.Single(
            first.Log.Lines,
            line => line.StartsWith("sending the snapshot up to entry 20 to member 2", StringComparison.Ordinal));
        const string Sent = "sent the snapshot up to entry 20 to member 2: Installed, ";
        Assert.Single(first.Log.Lines, line => line.StartsWith(Sent, StringComparison.Ordinal));
    }

    [Fact]
    public void Connection_that_breaks_in_any_part_is_followed_by_one_that_goes_on_there()
    {
        for (int whole = 0; whole <= SnapshotFiles.Keys + 1; whole++)
        {
            using Transfer transfer = Transfer.Begin(whole);
            transfer.WaitForParts(whole);
            transfer.Relay.Cut();
            SnapshotFiles.Install(transfer.Second.Reader.Next<ReceivedSnapshot>());
            AssertSent(transfer.First, installed: 20);
            AssertSameFile(transfer.First, transfer.Second);
            int chunks = Math.Max(0, whole - 1);
            Assert.Contains(
                $"receiving the snapshot up to entry 20 from member 1, after chunk {chunks}",
                transfer.Second.Log.Lines);
            long rest = transfer.FrameLengths[0] + transfer.FrameLengths[(chunks + 1)..].Sum();
            Eventually.True(() => transfer.Relay.Carried.Length == 2);
            Assert.Equal(rest, transfer.Relay.Carried[1]);
            Assert.Single(
                transfer.First.Log.Lines, line => line.Contains(" broke after chunk ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Snapshot_that_is_deleted_while_it_is_sent_arrives_all_the_same()
    {
        using Transfer transfer = Transfer.Begin(whole: 3);
        transfer.WaitForParts(3);
        SnapshotFiles.Take(transfer.First.Snapshots, index: 30);
        SnapshotFiles.Take(transfer.First.Snapshots, index: 40);
        Assert.DoesNotContain(transfer.First.Snapshots.Files, file => file.Index == 20);
        Assert.Equal(20, transfer.First.Network.OldestSnapshotBeingSent);
        transfer.Relay.Cut();
        SnapshotFiles.Install(transfer.Second.Reader.Next<ReceivedSnapshot>());
        AssertSent(transfer.First, installed: 20);
    }

    [Fact]
    public async Task Receiver_that_dies_and_comes_back_gets_the_rest()
    {
        using Transfer transfer = Transfer.Begin(whole: 4);
        transfer.WaitForParts(4);
        await transfer.RestartSecondAsync();
        transfer.Relay.Cut();
        SnapshotFiles.Install(transfer.Second.Reader.Next<ReceivedSnapshot>());
        Assert.Equal(20, transfer.NextSent().Installed);
        AssertSameFile(transfer.First, transfer.Second);
        Assert.Contains(
            "receiving the snapshot up to entry 20 from member 1, after chunk 3", transfer.Second.Log.Lines);
    }

    [Fact]
    public void Receiver_that_is_slow_holds_up_nothing_else()
    {
        using Transfer transfer = Transfer.Begin(whole: 2);
        transfer.WaitForParts(2);
        byte[] records = Frames.LargestRecords();
        for (int i = 0; i < 8; i++)
        {
            Assert.True(transfer.First.Network.Send(Frames.Append(2, to: 2), records));
            transfer.First.Network.Flush();
            Assert.Equal(
                Frames.Bytes(Frames.Append(2), records),
                transfer.Second.Reader.NextFrames(Frame.HeaderSize + records.Length, from: 1));
        }
        transfer.Relay.Cut();
        SnapshotFiles.Install(transfer.Second.Reader.Next<ReceivedSnapshot>());
        AssertSent(transfer.First, installed: 20);
    }

    [Fact]
    public async Task Full_disk_ends_the_attempt_and_the_next_one_succeeds_once_there_is_room()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        SnapshotFiles.Take(first.Snapshots);
        second.Disk.IsFull = true;
        Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        AssertSent(first, installed: 0);
        const string Failed = "gave up sending the snapshot up to entry 20 to member 2: DiskFull";
        Assert.Contains(first.Log.Lines, line => line.StartsWith(Failed, StringComparison.Ordinal));
        second.Disk.IsFull = false;
        Eventually.True(() => first.Network.SendSnapshot(2, SnapshotFiles.Term));
        SnapshotFiles.Install(second.Reader.Next<ReceivedSnapshot>());
        AssertSent(first, installed: 20);
    }

    [Fact]
    public void Member_that_is_cut_off_is_sent_nothing_more()
    {
        using Transfer transfer = Transfer.Begin(whole: 2);
        transfer.First.Configure(Dialling.Cluster([], [], removed: [2]));
        Assert.Equal(0, transfer.NextSent().Installed);
        Assert.False(transfer.First.Network.SendSnapshot(2, SnapshotFiles.Term));
        transfer.Relay.Cut();
        Eventually.True(() => transfer.First.Network.OldestSnapshotBeingSent == long.MaxValue);
    }

    [Fact]
    public async Task Leader_that_stops_does_not_wait_for_the_snapshot_that_it_sends()
    {
        using Transfer transfer = Transfer.Begin(whole: 2);
        await transfer.First.Network.DisposeAsync();
        transfer.Relay.Cut();
    }

    private static void AssertSent(Dialling first, long installed)
    {
        SnapshotSent sent = first.Reader.Next<SnapshotSent>();
        Assert.Equal((2ul, installed), (sent.Peer, sent.Installed));
        first.Reader.AssertEmpty();
    }

    private static void AssertSameFile(Dialling first, Node second)
    {
        SnapshotFile file = Assert.Single(second.Snapshots.Files);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(first.Location, file.Name)),
            File.ReadAllBytes(Path.Combine(second.Location, file.Name)));
    }

    /// <summary>
    /// A transfer that is stuck: the connection has carried some images whole and half of the next one, and waits to be
    /// cut.
    /// </summary>
    private sealed class Transfer : IDisposable
    {
        private readonly TemporaryDirectory directory = new();

        private Transfer() => Second = new Node(id: 2, directory: directory.Location);

        public Node Second { get; private set; }

        public Dialling First { get; private set; } = null!;

        public BreakingRelay Relay { get; private set; } = null!;

        public long[] FrameLengths { get; private set; } = [];

        public static Transfer Begin(int whole)
        {
            Transfer transfer = new();
            using (TemporaryDirectory scratch = new())
            {
                SnapshotStore store = SnapshotStore.Open(
                    new FileDisk(scratch.Location, DiskWriteMode.Buffered), Node.ClusterId);
                transfer.FrameLengths = [.. SnapshotFiles.Frames(store).Select(frame => (long)frame.Length)];
            }
            long bytes = transfer.FrameLengths[..whole].Sum() + transfer.FrameLengths[whole] / 2;
            transfer.Relay = new BreakingRelay(() => transfer.Second.Port, bytes);
            transfer.First = new Dialling(transfer.Relay.Port);
            transfer.First.Reader.Next<PeerConnected>();
            SnapshotFiles.Take(transfer.First.Snapshots);
            Assert.True(transfer.First.Network.SendSnapshot(2, SnapshotFiles.Term));
            Eventually.True(() => transfer.Relay.WaitsToCut);
            return transfer;
        }

        /// <summary>Waits until the receiver's disk has this number of images, the header included.</summary>
        public void WaitForParts(int parts)
        {
            long bytes = FrameLengths[..parts].Sum() - parts * Frame.HeaderSize;
            FileInfo file = new(Path.Combine(Second.Location, "snapshot-received.tmp"));
            Eventually.True(() =>
            {
                file.Refresh();
                return bytes == 0 ? !file.Exists : file.Exists && file.Length == bytes;
            });
        }

        /// <summary>Takes the next report of a transfer, and skips events of the connection for messages.</summary>
        public SnapshotSent NextSent()
        {
            while (true)
            {
                if (First.Reader.Next() is SnapshotSent sent)
                    return sent;
            }
        }

        public async Task RestartSecondAsync()
        {
            await Second.DisposeAsync();
            Second = new Node(id: 2, directory: directory.Location);
        }

        public void Dispose()
        {
            First.DisposeAsync().AsTask().Wait();
            Second.DisposeAsync().AsTask().Wait();
            Relay.Dispose();
            directory.Dispose();
        }
    }
}
