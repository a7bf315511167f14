using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.Tests.Peers.Handshakes;

/// <summary>Nodes that member 1 accepts and refuses.</summary>
public sealed class PeerAdmissionTests : IDisposable
{
    private const int StrangersMax = PeerOptions.PeersMax - ClusterConfiguration.MembersMax;

    private readonly TemporaryDirectory directory = new();
    private readonly RecordedLog log = new();
    private readonly HandSetTime time = new();
    private readonly PeerAdmission admission;

    public PeerAdmissionTests() => admission = Restarted();

    [Fact]
    public void Stranger_is_accepted_and_known_from_then_on_by_its_directory()
    {
        foreach (PeerAdmission one in new[] { admission, admission, Restarted() })
        {
            Assert.Equal(HandshakeStatus.Accepted, Judge(one, TestHandshakes.From(2)));
            Assert.Equal(
                HandshakeStatus.DirectoryReplaced, Judge(one, TestHandshakes.From(2) with { Directory = 0xBAD }));
        }
    }

    [Fact]
    public void Refused_handshake_is_no_meeting()
    {
        Handshake wrong = TestHandshakes.From(2) with { Directory = 0xBAD };
        Assert.Equal(HandshakeStatus.WrongCluster, Judge(admission, wrong with { ClusterId = 1 }));
        Assert.Equal(HandshakeStatus.WrongMember, Judge(admission, wrong with { To = 3 }));
        Assert.Equal(HandshakeStatus.UnsupportedVersion, admission.Judge(wrong, Handshake.Version + 1));
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(2)));
    }

    [Fact]
    public void Removed_member_is_told_so_whatever_its_directory()
    {
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(2)));
        admission.Update(Dialling.Cluster([], [], removed: [2, 3]));
        Assert.Equal(HandshakeStatus.Removed, Judge(admission, TestHandshakes.From(2)));
        Assert.Equal(HandshakeStatus.Removed, Judge(admission, TestHandshakes.From(2) with { Directory = 0xBAD }));
        Assert.Equal(HandshakeStatus.Removed, Judge(admission, TestHandshakes.From(3)));
    }

    [Fact]
    public void Strangers_are_accepted_up_to_a_bound_and_never_take_the_room_of_members()
    {
        MeetStrangers();
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(admission, TestHandshakes.From(2)));
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(1000)));
        admission.Update(Dialling.Cluster([2], [1]));
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(2)));
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(admission, TestHandshakes.From(3)));
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(Restarted(), TestHandshakes.From(3)));
    }

    [Fact]
    public void Stranger_that_becomes_a_member_or_was_removed_makes_room_for_another()
    {
        MeetStrangers();
        admission.Update(Dialling.Cluster([1000], [1]));
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(2)));
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(admission, TestHandshakes.From(3)));
        admission.Update(Dialling.Cluster([], [], removed: [1000]));
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(admission, TestHandshakes.From(3)));
        admission.Update(Dialling.Cluster([], [], removed: [1000, 1001]));
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(3)));
    }

    [Fact]
    public void Stranger_that_has_not_dialled_for_long_gives_its_place_to_another()
    {
        MeetStrangers();
        time.Now = PeerAdmission.StrangerPeriod;
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(1000)));
        for (ulong id = 2; id < 1 + StrangersMax; id++)
            Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(id)));
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(admission, TestHandshakes.From(500)));
        Assert.True(admission.IsKnown(1000));
        Assert.False(admission.IsKnown(1001));
    }

    [Fact]
    public void Directory_that_was_empty_when_met_is_replaced_by_one_that_holds_promises()
    {
        // Member 2 was started without its volume, and then with it.
        Handshake empty = TestHandshakes.From(2) with { Directory = 0xBAD, HasPromised = false };
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, empty));
        Assert.Equal(HandshakeStatus.Accepted, Judge(Restarted(), TestHandshakes.From(2)));
        Assert.Equal(HandshakeStatus.DirectoryReplaced, Judge(Restarted(), empty));
        Assert.Equal(HandshakeStatus.DirectoryReplaced, Judge(Restarted(), empty with { HasPromised = true }));
    }

    [Fact]
    public void Empty_directory_replaces_none()
    {
        // Other members may have counted promises from the first directory.
        Handshake first = TestHandshakes.From(2) with { HasPromised = false };
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, first));
        Assert.Equal(HandshakeStatus.DirectoryReplaced, Judge(Restarted(), first with { Directory = 0xBAD }));
    }

    [Fact]
    public void Directory_whose_promise_was_counted_is_never_replaced()
    {
        Handshake first = TestHandshakes.From(2) with { HasPromised = false };
        Assert.Equal(HandshakeStatus.Accepted, Judge(admission, first));
        Assert.True(admission.Keep(2, first.Directory));
        foreach (PeerAdmission one in new[] { admission, Restarted() })
        {
            Handshake other = TestHandshakes.From(2) with { Directory = 0xBAD };
            Assert.Equal(HandshakeStatus.DirectoryReplaced, Judge(one, other));
            Assert.False(one.Keep(2, other.Directory));
        }
    }

    [Fact]
    public async Task Known_directory_is_judged_while_the_disk_hangs()
    {
        HangingDisk disk = new(new FileDisk(directory.Location, DiskWriteMode.Buffered));
        PeerAdmission hanging = new(TestHandshakes.Identity(1), MetDirectories.Open(disk), time, log);
        Assert.Equal(
            HandshakeStatus.Accepted, await hanging.JudgeAsync(TestHandshakes.From(2), Handshake.Version));
        disk.Hang();
        Task<HandshakeStatus> waiting = hanging.JudgeAsync(TestHandshakes.From(3), Handshake.Version).AsTask();
        disk.WaitUntilItHangs();
        ValueTask<HandshakeStatus> known = hanging.JudgeAsync(TestHandshakes.From(2), Handshake.Version);
        Assert.True(known.IsCompletedSuccessfully);
        Assert.Equal(HandshakeStatus.Accepted, await known);
        Assert.False(waiting.IsCompleted);
        disk.Continue();
        Assert.Equal(HandshakeStatus.Accepted, await waiting);
    }

    [Fact]
    public void Full_disk_refuses_for_now_a_node_that_it_has_no_room_to_record()
    {
        FullDisk disk = new(new FileDisk(directory.Location, DiskWriteMode.Buffered));
        PeerAdmission full = new(TestHandshakes.Identity(1), MetDirectories.Open(disk), time, log);
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(full, TestHandshakes.From(2)));
        Assert.Contains("member 2", Assert.Single(log.Lines), StringComparison.Ordinal);
        disk.IsFull = false;
        Assert.Equal(HandshakeStatus.Accepted, Judge(full, TestHandshakes.From(2)));
    }

    [Fact]
    public void Directory_without_room_for_a_name_refuses_for_now_and_ends_nothing()
    {
        FullDisk disk = new(new FileDisk(directory.Location, DiskWriteMode.Buffered)) { IsFull = false };
        PeerAdmission full = new(TestHandshakes.Identity(1), MetDirectories.Open(disk), time, log);
        disk.RefusesNames = true;
        Assert.Equal(HandshakeStatus.UnknownMember, Judge(full, TestHandshakes.From(2)));
        disk.RefusesNames = false;
        Assert.Equal(HandshakeStatus.Accepted, Judge(full, TestHandshakes.From(2)));
    }

    public void Dispose() => directory.Dispose();

    private PeerAdmission Restarted() =>
        new(
            TestHandshakes.Identity(1),
            MetDirectories.Open(new FileDisk(directory.Location, DiskWriteMode.Buffered)),
            time,
            log);

    private void MeetStrangers()
    {
        for (ulong id = 1000; id < 1000 + StrangersMax; id++)
            Assert.Equal(HandshakeStatus.Accepted, Judge(admission, TestHandshakes.From(id)));
    }

    private static HandshakeStatus Judge(PeerAdmission admission, Handshake handshake) =>
        admission.Judge(handshake, Handshake.Version);
}
