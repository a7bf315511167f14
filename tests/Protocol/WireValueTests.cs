namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

/// <summary>Numbers that other processes, disks and versions know.</summary>
public sealed class WireValueTests
{
    [Fact]
    public void Message_types_keep_their_numbers() => Assert.Equal(
        "PreVote=1 PreVoteResponse=2 Vote=3 VoteResponse=4 Append=5 AppendResponse=6 Heartbeat=7 HeartbeatResponse=8 "
        + "ReadIndex=9 ReadIndexResponse=10 Forward=11 ForwardResponse=12",
        Numbers<MessageType>());

    [Fact]
    public void Record_types_keep_their_numbers() => Assert.Equal("Command=1 NoOp=2 HardState=3", Numbers<RecordType>());

    [Fact]
    public void Handshake_statuses_keep_their_numbers() => Assert.Equal(
        "Accepted=0 UnsupportedVersion=1 WrongCluster=2 WrongMember=3 UnknownMember=4", Numbers<HandshakeStatus>());

    [Fact]
    public void Sizes_and_limits_are_what_version_1_says()
    {
        Assert.Equal(1u, Handshake.Version);
        Assert.Equal((48, 16, 64, 32, 40), (Handshake.Size, Handshake.AnswerSize, Frame.HeaderSize, Record.HeaderSize, HardStateRecord.Size));
        Assert.Equal((8192, 1_048_576, 2_097_088), (PutCommand.KeyBytesMax, PutCommand.ValueBytesMax, Frame.RecordsBytesMax));
    }

    [Fact]
    public void Largest_record_fits_a_frame() =>
        Assert.InRange(Record.LengthOf(Record.PayloadBytesMax), 0, Frame.RecordsBytesMax);

    private static string Numbers<T>() where T : struct, Enum =>
        string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToUInt64(value)}"));
}
