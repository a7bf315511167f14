namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

/// <summary>Numbers on disks and wires, which must stay the same in every version.</summary>
public sealed class WireValueTests
{
    [Fact]
    public void Message_types_keep_their_numbers() => Assert.Equal(
        "PreVote=1 PreVoteResponse=2 Vote=3 VoteResponse=4 Append=5 AppendResponse=6 Heartbeat=7 HeartbeatResponse=8 "
        + "ReadIndex=9 ReadIndexResponse=10 Forward=11 ForwardResponse=12 "
        + "TimeoutNow=13 ChangeMembers=14 ChangeMembersResponse=15 InstallSnapshot=16 InstallSnapshotResponse=17 "
        + "StateHash=18",
        Numbers<MessageType>());

    [Fact]
    public void Record_types_keep_their_numbers() => Assert.Equal(
        "Command=1 NoOp=2 HardState=3 Configuration=4 MembershipChange=5", Numbers<RecordType>());

    [Fact]
    public void Member_roles_keep_their_numbers() => Assert.Equal("Leaving=0 Voter=1 Learner=2", Numbers<MemberRole>());

    [Fact]
    public void Membership_changes_and_refusals_keep_their_numbers()
    {
        Assert.Equal("Add=1 Remove=2 Move=3", Numbers<MembershipChangeKind>());
        Assert.Equal(
            "None=0 NotNow=1 ChangeUnderWay=2 IdInUse=3 IdWasRemoved=4 AddressInUse=5 "
            + "LastVoter=6 TooManyMembers=7 DiskFull=8 VotersMissing=9",
            Numbers<ChangeRefusal>());
    }

    [Fact]
    public void Handshake_statuses_keep_their_numbers() => Assert.Equal(
        "Accepted=0 UnsupportedVersion=1 WrongCluster=2 WrongMember=3 UnknownMember=4 Removed=5 "
        + "DirectoryReplaced=6 Joining=7",
        Numbers<HandshakeStatus>());

    [Fact]
    public void Kinds_of_connections_and_answers_to_a_snapshot_keep_their_numbers()
    {
        Assert.Equal("Messages=0 Snapshot=1 Hint=2", Numbers<ConnectionKind>());
        Assert.Equal("Continue=1 Installed=2 NotWanted=3 DiskFull=4 Busy=5", Numbers<InstallStatus>());
    }

    [Fact]
    public void Sizes_and_limits_are_what_version_1_says()
    {
        Assert.Equal(1u, Handshake.Version);
        Assert.Equal(
            (328, 16, 64, 32, 40),
            (Handshake.Size, Handshake.AnswerSize, Frame.HeaderSize, Record.HeaderSize, HardStateRecord.Size));
        Assert.Equal(
            (8192, 1_048_576, 2_097_088), (PutCommand.KeyBytesMax, PutCommand.ValueBytesMax, Frame.RecordsBytesMax));
    }

    [Fact]
    public void Largest_record_fits_a_frame() =>
        Assert.InRange(Record.LengthOf(Record.PayloadBytesMax), 0, Frame.RecordsBytesMax);

    private static string Numbers<T>() where T : struct, Enum =>
        string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToUInt64(value)}"));
}
