using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Peers.Snapshots;

/// <summary>A leader sends a snapshot to a peer that the test controls to the byte.</summary>
public sealed class SnapshotSenderTests
{
    [Fact]
    public async Task Only_the_parts_that_the_receiver_lacks_are_sent_and_its_verdict_is_awaited()
    {
        for (int have = 0; have <= SnapshotFiles.Keys; have++)
        {
            using RawAcceptor second = new();
            await using Dialling first = new(second.Port);
            using Socket messages = second.AcceptAndAnswer();
            first.Reader.Next<PeerConnected>();
            List<byte[]> frames = SnapshotFiles.Frames(first.Snapshots);
            Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term));
            using Socket socket = second.AcceptAndAnswer(kind: ConnectionKind.Snapshot);
            AssertReceives(socket, frames[0]);
            Answer(socket, InstallStatus.Continue, have);
            foreach (byte[] frame in frames[(have + 1)..])
                AssertReceives(socket, frame);
            first.Reader.AssertEmpty();
            Answer(socket, InstallStatus.Installed);
            Assert.Equal(20, first.Reader.Next<SnapshotSent>().Installed);
        }
    }

    [Theory]
    [InlineData(InstallStatus.NotWanted, 20)]
    [InlineData(InstallStatus.Busy, 0)]
    [InlineData(InstallStatus.DiskFull, 0)]
    public async Task Refusal_of_the_header_or_of_a_part_ends_the_transfer(InstallStatus refusal, long installed)
    {
        foreach (bool isOfHeader in (bool[])[true, false])
        {
            using RawAcceptor second = new();
            // Slow enough that the answer to the first image comes before all is sent.
            await using Dialling first = new(
                second.Port, options: Dialling.Fast with { SnapshotBytesPerSecond = 10_000 });
            using Socket messages = second.AcceptAndAnswer();
            first.Reader.Next<PeerConnected>();
            List<byte[]> frames = SnapshotFiles.Frames(first.Snapshots);
            Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term));
            using Socket socket = second.AcceptAndAnswer(kind: ConnectionKind.Snapshot);
            AssertReceives(socket, frames[0]);
            if (!isOfHeader)
                Answer(socket, InstallStatus.Continue);
            Answer(socket, refusal);
            Assert.Equal(installed, first.Reader.Next<SnapshotSent>().Installed);
        }
    }

    [Fact]
    public async Task Snapshot_that_no_connection_brings_further_is_given_up()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket messages = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        SnapshotFiles.Take(first.Snapshots);
        Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        int connections = 0;
        // Each image that has arrived restores the full number of attempts.
        for (int have = 0; have < 3; have++)
        {
            using Socket further = second.AcceptAndAnswer(kind: ConnectionKind.Snapshot);
            RawAcceptor.Receive(further, 100);
            Answer(further, InstallStatus.Continue, have);
            RawAcceptor.Receive(further, 10_000);
        }
        for (; connections < Dialling.Fast.SnapshotAttemptsMax; connections++)
        {
            Assert.Equal(20, first.Network.OldestSnapshotBeingSent);
            second.AcceptAndAnswer(kind: ConnectionKind.Snapshot).Dispose();
        }
        Assert.Equal(0, first.Reader.Next<SnapshotSent>().Installed);
        second.AssertNotDialled();
    }

    [Fact]
    public async Task Answer_that_makes_no_sense_is_no_answer()
    {
        byte[] damaged = Response(InstallStatus.Continue);
        damaged[50] ^= 1;
        byte[][] wrong =
        [
            damaged, Frames.Bytes(Frames.Heartbeat(1)), Response(InstallStatus.Continue, SnapshotFiles.Keys + 1),
            Response((InstallStatus)77),
        ];
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket messages = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        List<byte[]> frames = SnapshotFiles.Frames(first.Snapshots);
        Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        foreach (byte[] answer in wrong)
        {
            using Socket socket = second.AcceptAndAnswer(kind: ConnectionKind.Snapshot);
            AssertReceives(socket, frames[0]);
            socket.Send(answer);
            Assert.Equal(0, socket.Receive(new byte[1]));
        }
        using Socket sound = second.AcceptAndAnswer(kind: ConnectionKind.Snapshot);
        AssertReceives(sound, frames[0]);
        Answer(sound, InstallStatus.NotWanted);
        Assert.Equal(20, first.Reader.Next<SnapshotSent>().Installed);
        Assert.Equal(
            wrong.Length,
            first.Log.Lines.Count(line => line.Contains(" broke after chunk ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Damaged_file_is_told_not_sent_and_set_aside(bool isHeader)
    {
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        SnapshotFiles.Take(first.Snapshots);
        string path = Path.Combine(first.Location, first.Snapshots.Files[0].Name);
        byte[] bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[isHeader ? 10 : bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        Eventually.True(() => first.Network.SendSnapshot(2, SnapshotFiles.Term));
        Assert.Equal(0, first.Reader.Next<SnapshotSent>().Installed);
        Assert.Single(
            first.Log.Lines,
            line => line.StartsWith("can't send a snapshot to member 2: snapshot-", StringComparison.Ordinal));
        Assert.Empty(first.Snapshots.Files);
        Assert.False(File.Exists(path));
        Assert.DoesNotContain(second.Log.Lines, line => line.StartsWith("STACK TRACE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_sent_without_a_snapshot_or_without_a_connection()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        Assert.False(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        using (Socket messages = second.AcceptAndAnswer())
        {
            first.Reader.Next<PeerConnected>();
            Assert.False(first.Network.SendSnapshot(2, SnapshotFiles.Term));
            Assert.False(first.Network.SendSnapshot(3, SnapshotFiles.Term));
        }
        first.Reader.Next<PeerLost>();
        SnapshotFiles.Take(first.Snapshots);
        Assert.False(first.Network.SendSnapshot(2, SnapshotFiles.Term));
    }

    [Fact]
    public async Task Snapshot_of_an_earlier_term_continues_in_the_present_one()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket messages = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        List<byte[]> frames = SnapshotFiles.Frames(first.Snapshots);
        Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        using Socket socket = second.AcceptAndAnswer(kind: ConnectionKind.Snapshot);
        AssertReceives(socket, frames[0]);
        Assert.False(first.Network.SendSnapshot(2, SnapshotFiles.Term));
        Assert.True(first.Network.SendSnapshot(2, SnapshotFiles.Term + 1));
        Assert.False(first.Network.SendSnapshot(2, SnapshotFiles.Term + 1));
        Answer(socket, InstallStatus.Continue);
        foreach (byte[] frame in frames[1..])
            AssertReceives(socket, frame);
        Answer(socket, InstallStatus.Installed);
        Assert.Equal(20, first.Reader.Next<SnapshotSent>().Installed);
    }

    private static void AssertReceives(Socket socket, byte[] frame) =>
        Assert.Equal(frame, RawAcceptor.Receive(socket, frame.Length));

    private static void Answer(Socket socket, InstallStatus status, int chunks = 0) =>
        socket.Send(Response(status, chunks));

    private static byte[] Response(InstallStatus status, int chunks = 0) => Frames.Bytes(
        new Message
        {
            Type = MessageType.InstallSnapshotResponse,
            Term = SnapshotFiles.Term,
            Context = (long)status,
            Count = chunks,
        });
}
