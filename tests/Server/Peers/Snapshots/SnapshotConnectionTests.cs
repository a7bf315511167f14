using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Tests.Peers.Snapshots;

/// <summary>Member 1 gets a snapshot, sound or faulty, from a leader that the test controls to the byte.</summary>
public sealed class SnapshotConnectionTests : IDisposable
{
    private const int Last = SnapshotFiles.Keys + 1;

    private readonly TemporaryDirectory leader = new();
    private readonly SnapshotStore sent;
    private readonly List<byte[]> frames;

    public SnapshotConnectionTests()
    {
        sent = SnapshotStore.Open(new FileDisk(leader.Location, DiskWriteMode.Buffered), Node.ClusterId);
        frames = SnapshotFiles.Frames(sent);
    }

    public void Dispose() => leader.Dispose();

    [Fact]
    public async Task Snapshot_is_offered_to_the_loop_and_the_answer_is_its_decision()
    {
        await using Node node = new();
        using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
        dialer.Send(frames[1..]);
        ReceivedSnapshot received = node.Reader.Next<ReceivedSnapshot>();
        Assert.Equal((2ul, new LogPosition(2, 20)), (received.From, received.Position));
        Assert.Equal(new FileInfo(leader.PathOf(sent.Files[0].Name)).Length, received.FileBytes);
        // The file is durable and has its name before the loop sees the snapshot.
        Assert.Equal([20L], node.Snapshots.Files.Select(file => file.Index));
        SnapshotFiles.Install(received);
        Assert.Equal((InstallStatus.Installed, 0), dialer.Answer());
        dialer.Dispose();
        SnapshotFile file = Assert.Single(node.Snapshots.Files);
        Assert.Equal(
            File.ReadAllBytes(leader.PathOf(file.Name)), File.ReadAllBytes(Path.Combine(node.Location, file.Name)));
    }

    [Fact]
    public async Task Snapshot_that_the_loop_does_not_want_is_not_installed()
    {
        await using Node node = new();
        using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
        dialer.Send(frames[1..]);
        ReceivedSnapshot received = node.Reader.Next<ReceivedSnapshot>();
        received.Store.Dispose();
        received.Complete(isInstalled: false);
        Assert.Equal(InstallStatus.NotWanted, dialer.Answer().Status);
    }

    [Fact]
    public async Task Snapshot_without_memory_for_a_second_state_waits_for_memory_and_is_not_sent_again()
    {
        long free = 0;
        PeerOptions options = new()
        {
            FreeMemory = () => Volatile.Read(ref free),
            FreeMemoryPeriod = TimeSpan.FromMilliseconds(10),
        };
        await using Node node = new(options: options);
        using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
        dialer.Send(frames[1..]);
        Eventually.True(() => node.Log.Lines.Any(line => line.Contains("more memory", StringComparison.Ordinal)));
        Volatile.Write(ref free, long.MaxValue);
        SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
        Assert.Equal((InstallStatus.Installed, 0), dialer.Answer());
        Assert.Single(node.Log.Lines, line => line.Contains("more memory", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Part_that_comes_again_does_no_harm()
    {
        await using Node node = new();
        using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
        for (int i = 1; i < Last; i++)
            dialer.Send(frames[i], frames[1], frames[i]);
        dialer.Send(frames[Last]);
        SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
        Assert.Equal(InstallStatus.Installed, dialer.Answer().Status);
    }

    [Fact]
    public async Task Damaged_or_reordered_part_ends_the_connection_and_leaves_what_came_before()
    {
        await using Node node = new();
        byte[] damagedImage = [.. frames[4]];
        damagedImage[Frame.HeaderSize + 5000] ^= 1;
        byte[] damagedHeader = [.. frames[4]];
        damagedHeader[20] ^= 1;
        byte[][] wrong =
        [
            damagedImage, damagedHeader, frames[5], frames[0], frames[Last], Frames.Bytes(Frames.Heartbeat(1)),
            new byte[Frame.HeaderSize],
        ];
        int have = 0;
        foreach (byte[] bad in wrong)
        {
            using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames, have);
            dialer.Send(frames[(have + 1)..4]);
            dialer.Send(bad);
            dialer.AssertClosed();
            have = 3;
        }
        using SnapshotDialer sound = SnapshotDialer.Continued(node, frames, have);
        sound.Send(frames[4..]);
        SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
        Assert.Equal(InstallStatus.Installed, sound.Answer().Status);
        Assert.Equal(
            wrong.Length,
            node.Log.Lines.Count(line => line.Contains("dropped a snapshot from member 2", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_does_not_begin_with_an_intact_header_is_dropped()
    {
        await using Node node = new();
        byte[] damaged = [.. frames[0]];
        damaged[Frame.HeaderSize + 20] ^= 1;
        foreach (byte[] bad in (byte[][])[damaged, frames[1], Frames.Bytes(Frames.Heartbeat(1))])
        {
            using SnapshotDialer dialer = new(node);
            dialer.Send(bad);
            dialer.AssertClosed();
        }
        Assert.Equal(3, node.Log.Lines.Length);
        Assert.False(node.Disk.Exists("snapshot-received.tmp"));
    }

    [Fact]
    public async Task Snapshot_that_is_there_already_is_not_wanted()
    {
        await using Node node = new();
        SnapshotFiles.Take(node.Snapshots, index: 21);
        using SnapshotDialer dialer = new(node);
        dialer.Send(frames[0]);
        Assert.Equal(InstallStatus.NotWanted, dialer.Answer().Status);
    }

    [Fact]
    public async Task Full_disk_is_answered_at_every_part()
    {
        await using Node node = new();
        for (int before = 0; before < frames.Count; before++)
        {
            using SnapshotDialer dialer = new(node);
            node.Disk.IsFull = before == 0;
            dialer.Send(frames[0]);
            for (int i = 0; i < before; i++)
            {
                if (i > 0)
                    dialer.Send(frames[i]);
                else
                    Assert.Equal((InstallStatus.Continue, 0), dialer.Answer());
            }
            WaitForParts(node, before);
            node.Disk.IsFull = true;
            if (before > 0)
                dialer.Send(frames[before]);
            Assert.Equal((InstallStatus.DiskFull, 0), dialer.Answer());
            Assert.False(node.Disk.Exists("snapshot-received.tmp"));
        }
        node.Reader.AssertEmpty();
    }

    [Fact]
    public async Task Process_that_dies_while_it_receives_continues_after_the_last_part()
    {
        using TemporaryDirectory directory = new();
        for (int part = 0; part <= Last; part++)
        {
            await using Node node = new(directory: directory.Location);
            using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames, Math.Max(0, part - 1));
            if (part is > 0 and < Last)
                dialer.Send(frames[part]);
            WaitForParts(node, Math.Min(part + 1, Last));
        }
        await using Node last = new(directory: directory.Location);
        using SnapshotDialer sound = SnapshotDialer.Continued(last, frames, SnapshotFiles.Keys);
        sound.Send(frames[Last]);
        SnapshotFiles.Install(last.Reader.Next<ReceivedSnapshot>());
        Assert.Equal(InstallStatus.Installed, sound.Answer().Status);
    }

    [Fact]
    public async Task Leader_that_dials_again_ends_its_older_connection()
    {
        await using Node node = new();
        using SnapshotDialer older = SnapshotDialer.Continued(node, frames);
        older.Send(frames[1]);
        WaitForParts(node, 2);
        using SnapshotDialer newer = SnapshotDialer.Continued(node, frames, chunks: 1);
        older.AssertClosed();
        newer.Send(frames[2..]);
        SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
        Assert.Equal(InstallStatus.Installed, newer.Answer().Status);
    }

    [Fact]
    public async Task Change_of_leader_does_not_end_a_transfer_that_makes_progress()
    {
        await using Node node = new();
        List<byte[]> others = SnapshotFiles.Frames(sent, index: 30, term: SnapshotFiles.Term + 1);
        for (int part = 1; part <= Last; part++)
        {
            // The connection of the former leader breaks after each part. No other sender gets in meanwhile.
            using (SnapshotDialer former = SnapshotDialer.Continued(node, frames, part - 1))
            {
                former.Send(part < Last ? frames[part] : frames[0]);
                WaitForParts(node, Math.Min(part + 1, Last));
            }
            using SnapshotDialer present = new(node, from: 3);
            present.Send(others[0]);
            Assert.Equal(InstallStatus.Busy, present.Answer().Status);
        }
        using SnapshotDialer last = SnapshotDialer.Continued(node, frames, SnapshotFiles.Keys);
        last.Send(frames[Last]);
        SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
        Assert.Equal(InstallStatus.Installed, last.Answer().Status);
        using SnapshotDialer next = SnapshotDialer.Continued(node, others, from: 3);
    }

    [Fact]
    public async Task Snapshot_that_is_put_off_is_logged_with_its_reason()
    {
        await using Node node = new();
        using SnapshotDialer first = SnapshotDialer.Continued(node, frames);
        using SnapshotDialer other = new(node, from: 3);
        other.Send(SnapshotFiles.Frames(sent, index: 30, term: SnapshotFiles.Term + 1)[0]);
        Assert.Equal(InstallStatus.Busy, other.Answer().Status);
        Assert.Contains(
            node.Log.Lines, line => line.Contains("another one is being received", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Empty_directory_takes_no_snapshot_of_a_member_that_has_not_accepted_it()
    {
        await using Node node = new(hasPromised: false);
        using (SnapshotDialer refused = new(node))
        {
            refused.Send(frames[0]);
            Assert.Equal(InstallStatus.Busy, refused.Answer().Status);
        }
        Assert.Contains(node.Log.Lines, line => line.Contains("has not accepted", StringComparison.Ordinal));
        node.Acceptance.Add(2);
        using SnapshotDialer accepted = SnapshotDialer.Continued(node, frames);
    }

    [Fact]
    public async Task New_leader_with_the_same_file_continues_it()
    {
        await using Node node = new();
        using (SnapshotDialer former = SnapshotDialer.Continued(node, frames))
        {
            former.Send(frames[1..4]);
            WaitForParts(node, 4);
        }
        Eventually.True(() =>
        {
            using SnapshotDialer present = new(node, from: 3);
            present.Send(frames[0]);
            (InstallStatus status, int chunks) = present.Answer();
            if (status == InstallStatus.Busy)
                return false;
            Assert.Equal((InstallStatus.Continue, 3), (status, chunks));
            present.Send(frames[4..]);
            SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
            return true;
        });
    }

    [Fact]
    public async Task Sender_that_is_silent_gives_its_place_to_another()
    {
        await using Node node = new(options: new PeerOptions { SnapshotSilenceMax = TimeSpan.Zero });
        using SnapshotDialer first = SnapshotDialer.Continued(node, frames);
        first.Send(frames[1]);
        WaitForParts(node, 2);
        List<byte[]> others = SnapshotFiles.Frames(sent, index: 30, term: SnapshotFiles.Term + 1);
        using SnapshotDialer later = SnapshotDialer.Continued(node, others, from: 3);
        first.AssertClosed();
        later.Send(others[1..]);
        ReceivedSnapshot received = node.Reader.Next<ReceivedSnapshot>();
        Assert.Equal((3ul, 30L), (received.From, received.Position.Index));
        SnapshotFiles.Install(received);
        Assert.Equal(InstallStatus.Installed, later.Answer().Status);
    }

    [Fact]
    public async Task Snapshot_whose_sender_goes_away_is_decided_on_before_another_is_received()
    {
        await using Node node = new();
        SnapshotDialer dead = SnapshotDialer.Continued(node, frames);
        dead.Send(frames[1..]);
        ReceivedSnapshot received = node.Reader.Next<ReceivedSnapshot>();
        dead.Dispose();
        using SnapshotDialer again = new(node);
        again.Send(frames[0]);
        node.Reader.AssertEmpty();
        SnapshotFiles.Install(received);
        Assert.Equal(InstallStatus.NotWanted, again.Answer().Status);
    }

    [Fact]
    public async Task Directory_without_room_for_the_name_fails_the_install_and_not_the_process()
    {
        await using Node node = new();
        using (SnapshotDialer refused = SnapshotDialer.Continued(node, frames))
        {
            node.Disk.RefusesNames = true;
            refused.Send(frames[1..]);
            Assert.Equal(InstallStatus.DiskFull, refused.Answer().Status);
        }
        Eventually.True(() => node.Log.Lines.Any(line => line.Contains("no room", StringComparison.Ordinal)));
        node.Disk.RefusesNames = false;
        // Nothing is sent again.
        using SnapshotDialer again = SnapshotDialer.Continued(node, frames, SnapshotFiles.Keys);
        SnapshotFiles.Install(node.Reader.Next<ReceivedSnapshot>());
        Assert.Equal(InstallStatus.Installed, again.Answer().Status);
    }

    [Fact]
    public async Task Node_stops_at_once_while_a_snapshot_is_received_or_waits_for_the_loop()
    {
        for (int parts = 1; parts <= frames.Count; parts++)
        {
            Node node = new();
            using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
            dialer.Send(frames[1..parts]);
            ReceivedSnapshot? received = parts == frames.Count ? node.Reader.Next<ReceivedSnapshot>() : null;
            await node.DisposeAsync();
            dialer.AssertClosed();
            received?.Store.Dispose();
        }
    }

    [Fact]
    public async Task Removed_member_sends_no_snapshot()
    {
        await using Node node = new();
        using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
        node.Acceptor.Update(Dialling.Cluster([], [], removed: [2]));
        dialer.AssertClosed();
        using RawDialer again = new(node.Port);
        Assert.Equal(
            HandshakeStatus.Removed, again.ShakeHands(TestHandshakes.From(2) with { Kind = ConnectionKind.Snapshot }));
    }

    [Fact]
    public async Task Messages_go_on_beside_a_snapshot_whatever_becomes_of_it()
    {
        await using Node node = new();
        using RawDialer messages = RawDialer.Accepted(node);
        using SnapshotDialer dialer = SnapshotDialer.Continued(node, frames);
        byte[] heartbeat = Frames.Bytes(Frames.Heartbeat(1));
        foreach (byte[] frame in frames[1..])
        {
            dialer.Send(frame);
            messages.Send(heartbeat);
        }
        int heartbeats = 0;
        ReceivedSnapshot? received = null;
        while (received is null || heartbeats < frames.Count - 1)
        {
            object item = node.Reader.Next();
            if (item is Server.Peers.Inbound.PeerBatch batch)
            {
                heartbeats += batch.Frames.Length / Frame.HeaderSize;
                batch.Release();
            }
            received ??= item as ReceivedSnapshot;
        }
        // The loop has not decided yet, and messages do not wait for the decision.
        messages.Send(heartbeat);
        Assert.Equal(heartbeat, node.Reader.NextFrames(Frame.HeaderSize, from: 2));
        SnapshotFiles.Install(received);
        Assert.Equal(InstallStatus.Installed, dialer.Answer().Status);
        dialer.Dispose();
        messages.Send(heartbeat);
        Assert.Equal(heartbeat, node.Reader.NextFrames(Frame.HeaderSize, from: 2));
    }

    [Fact]
    public async Task Part_of_a_snapshot_among_messages_ends_that_connection()
    {
        await using Node node = new();
        Message answer = new() { Type = MessageType.InstallSnapshotResponse, Term = 1, Context = 1 };
        foreach (byte[] frame in (byte[][])[frames[0], Frames.Bytes(answer)])
        {
            using RawDialer messages = RawDialer.Accepted(node);
            messages.Send(frame);
            messages.AssertClosed();
        }
        node.Reader.AssertEmpty();
    }

    /// <summary>Waits until the disk has this number of images, the header included.</summary>
    private void WaitForParts(Node node, int parts)
    {
        if (parts == 0)
            return;
        long bytes = frames[..parts].Sum(frame => (long)frame.Length - Frame.HeaderSize);
        string path = Path.Combine(node.Location, "snapshot-received.tmp");
        Eventually.True(() => new FileInfo(path) is { Exists: true } file && file.Length == bytes);
    }
}
