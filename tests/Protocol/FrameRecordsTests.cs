namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

/// <summary>Records that <see cref="Frame.RecordsAreValid"/> accepts and rejects.</summary>
public sealed class FrameRecordsTests
{
    private static readonly Message Append =
        new() { Type = MessageType.Append, Term = 5, Position = new(3, 10), Count = 2 };

    private static readonly Message Forward = new() { Type = MessageType.Forward, Term = 5, Count = 2 };

    [Fact]
    public void Records_that_follow_the_position_are_valid()
    {
        Assert.True(Frame.RecordsAreValid(Append, Records((3, 11), (3, 12))));
        Assert.True(Frame.RecordsAreValid(Append, Records((3, 11), (5, 12))));
        Assert.True(Frame.RecordsAreValid(Append with { Count = 0 }, []));
        Assert.True(Frame.RecordsAreValid(Append with { Count = 1 }, One(RecordType.NoOp, (5, 11))));
    }

    [Fact]
    public void First_record_comes_right_after_the_position() // §5.3
    {
        Assert.False(Frame.RecordsAreValid(Append, Records((3, 10), (3, 11))));
        Assert.False(Frame.RecordsAreValid(Append, Records((3, 12), (3, 13))));
    }

    [Fact]
    public void Each_record_comes_right_after_the_one_before() // §5.3
    {
        Assert.False(Frame.RecordsAreValid(Append, Records((3, 11), (3, 11))));
        Assert.False(Frame.RecordsAreValid(Append, Records((3, 11), (3, 13))));
    }

    [Fact]
    public void Terms_never_go_back_and_never_exceed_the_senders()
    {
        Assert.False(Frame.RecordsAreValid(Append, Records((2, 11), (3, 12))));
        Assert.False(Frame.RecordsAreValid(Append, Records((4, 11), (3, 12))));
        Assert.False(Frame.RecordsAreValid(Append, Records((3, 11), (6, 12))));
    }

    [Fact]
    public void Records_are_as_many_as_the_header_counts()
    {
        byte[] two = Records((3, 11), (3, 12));
        Assert.False(Frame.RecordsAreValid(Append with { Count = 1 }, two));
        Assert.False(Frame.RecordsAreValid(Append with { Count = 3 }, two));
        Assert.False(Frame.RecordsAreValid(Append with { Count = int.MaxValue }, two));
        Assert.False(Frame.RecordsAreValid(Append with { Count = 0 }, two));
    }

    [Fact]
    public void Hard_state_is_no_log_entry() =>
        Assert.False(Frame.RecordsAreValid(Append with { Count = 1 }, One(RecordType.HardState, (3, 11))));

    [Fact]
    public void Forwarded_records_are_commands_without_a_position()
    {
        Assert.True(Frame.RecordsAreValid(Forward, [.. Put((0, 0)), .. Put((0, 0))]));
        Assert.False(Frame.RecordsAreValid(Forward, [.. Put((0, 0)), .. Put((0, 1))]));
        Assert.False(Frame.RecordsAreValid(Forward, [.. Put((1, 0)), .. Put((0, 0))]));
        Assert.False(Frame.RecordsAreValid(Forward with { Count = 1 }, One(RecordType.NoOp, (0, 0))));
        Assert.False(Frame.RecordsAreValid(Forward with { Count = 1 }, One(RecordType.HardState, (0, 0))));
    }

    [Fact]
    public void Forwarded_command_is_one_that_the_state_machine_knows()
    {
        Message one = Forward with { Count = 1 };
        Assert.True(Frame.RecordsAreValid(one, Put((0, 0))));
        Assert.False(Frame.RecordsAreValid(one, One(RecordType.Command, (0, 0))));
        byte[] other = Put((0, 0));
        other[Record.HeaderSize] ^= 0x80;
        Record.Finish(other, RecordType.Command, PutCommand.PayloadLength(4, 2));
        Assert.False(Frame.RecordsAreValid(one, other));
    }

    [Fact]
    public void Appended_configuration_is_one() // an invalid one would stop every member at every start
    {
        Message one = Append with { Count = 1 };
        byte[] record = ConfigurationRecord.Write(ClusterConfiguration.Bootstrap([new("127.0.0.1", 9021)]));
        Record.Stamp(record, new LogPosition(3, 11));
        Assert.True(Frame.RecordsAreValid(one, record));
        Assert.False(Frame.RecordsAreValid(one, One(RecordType.Configuration, (3, 11))));
        Assert.False(Frame.RecordsAreValid(Forward with { Count = 1 }, record));
    }

    [Fact]
    public void Requested_change_of_members_is_one_and_has_no_position()
    {
        Message request = new() { Type = MessageType.ChangeMembers, Context = 1, Count = 1 };
        byte[] record = new MembershipChange(MembershipChangeKind.Remove, 2).ToRecord();
        Assert.True(Frame.RecordsAreValid(request, record));
        Assert.False(Frame.RecordsAreValid(Append with { Count = 1 }, record));
        Assert.False(Frame.RecordsAreValid(Forward with { Count = 1 }, record));
        Assert.False(Frame.RecordsAreValid(request, Put((0, 0))));
        Assert.False(Frame.RecordsAreValid(request, One(RecordType.MembershipChange, (0, 0))));
        Record.Stamp(record, new LogPosition(3, 11));
        Assert.False(Frame.RecordsAreValid(request, record));
        Assert.False(Frame.RecordsAreValid(Append with { Count = 1 }, record));
    }

    [Fact]
    public void Other_messages_carry_no_records()
    {
        Message response = new() { Type = MessageType.ForwardResponse, Count = 7 };
        Assert.True(Frame.RecordsAreValid(response, []));
        Assert.False(Frame.RecordsAreValid(response, Records((3, 11))));
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_is_noticed()
    {
        byte[] records = Records((3, 11), (5, 12));
        for (int length = 0; length < records.Length; length++)
            Assert.False(Frame.RecordsAreValid(Append, records.AsSpan(0, length)));
        for (int bit = 0; bit < records.Length * 8; bit++)
        {
            byte[] damaged = [.. records];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Frame.RecordsAreValid(Append, damaged));
        }
    }

    private static byte[] Records(params ReadOnlySpan<(long Term, long Index)> positions)
    {
        List<byte> records = [];
        foreach ((long, long) position in positions)
            records.AddRange(One(RecordType.Command, position));
        return [.. records];
    }

    private static byte[] Put((long Term, long Index) position)
    {
        int payloadLength = PutCommand.PayloadLength(4, 2);
        byte[] record = new byte[Record.LengthOf(payloadLength)];
        PutCommand.WriteKey(record.AsSpan(Record.HeaderSize, payloadLength), "/key"u8);
        Record.Finish(record, RecordType.Command, payloadLength);
        Record.Stamp(record, new LogPosition(position.Term, position.Index));
        return record;
    }

    private static byte[] One(RecordType type, (long Term, long Index) position)
    {
        int payloadLength = (int)position.Index;
        byte[] record = new byte[Record.LengthOf(payloadLength)];
        Record.Finish(record, type, payloadLength);
        Record.Stamp(record, new LogPosition(position.Term, position.Index));
        return record;
    }
}
