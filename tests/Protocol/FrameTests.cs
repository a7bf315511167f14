namespace RaftFast.Protocol.Tests;

public sealed class FrameTests
{
    private static readonly Message Append = new()
    {
        Type = MessageType.Append,
        Count = 2,
        Term = 0x0102030405060708,
        Position = new(0x11, 0x22),
        Commit = 0x33,
        Context = 0x44,
    };

    private static readonly byte[] AppendHeader =
    [
        0xFD, 0xED, 0x08, 0x50, 0x48, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
        0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x33, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    private static readonly Message Rejection = new()
    {
        Type = MessageType.AppendResponse,
        Rejected = true,
        Term = 9,
        Position = new(1, 2),
        Commit = 3,
        Context = 4,
    };

    private static readonly byte[] RejectionHeader =
    [
        0xFF, 0x0D, 0xA6, 0x9D, 0x00, 0x00, 0x00, 0x00, 0x06, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    [Fact]
    public void Layout_is_what_is_on_every_wire()
    {
        Assert.Equal(AppendHeader, Encode(Append, 72));
        Assert.Equal(RejectionHeader, Encode(Rejection, 0));
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        Assert.Equal(
            DecodeStatus.Complete, Frame.TryReadHeader(AppendHeader, out Message append, out int recordsLength));
        Assert.Equal(Append, append);
        Assert.Equal(72, recordsLength);
        Assert.Equal(
            DecodeStatus.Complete, Frame.TryReadHeader(RejectionHeader, out Message rejection, out recordsLength));
        Assert.Equal(Rejection, rejection);
        Assert.Equal(0, recordsLength);
    }

    [Fact]
    public void Sender_and_receiver_are_not_on_the_wire() =>
        Assert.Equal(RejectionHeader, Encode(Rejection with { From = 8, To = 9 }, 0));

    [Fact]
    public void Every_message_type_goes_there_and_back()
    {
        foreach (MessageType type in Enum.GetValues<MessageType>())
        {
            bool carries = type is MessageType.Append or MessageType.Forward
                or MessageType.ChangeMembers or MessageType.InstallSnapshot;
            Message message = new()
            {
                Type = type,
                Count = carries || type == MessageType.StateHash ? 1 : 5,
                Term = type is MessageType.Forward or MessageType.ChangeMembers or MessageType.StateHash
                    ? 0 : LogPosition.Greatest,
                Position = new(0, 1),
                Commit = LogPosition.Greatest,
                Context = long.MaxValue,
            };
            int length = carries ? Frame.RecordsBytesMax : 0;
            Assert.Equal(
                DecodeStatus.Complete,
                Frame.TryReadHeader(Encode(message, length), out Message decoded, out int recordsLength));
            Assert.Equal(message, decoded);
            Assert.Equal(length, recordsLength);
        }
    }

    [Theory] // a forwarded request speaks for no term; every other message speaks for one
    [InlineData(MessageType.Forward, 0, true)]
    [InlineData(MessageType.Forward, 1, false)]
    [InlineData(MessageType.ChangeMembers, 0, true)]
    [InlineData(MessageType.ChangeMembers, 1, false)]
    [InlineData(MessageType.StateHash, 0, true)]
    [InlineData(MessageType.StateHash, 1, false)]
    [InlineData(MessageType.ChangeMembersResponse, 0, false)]
    [InlineData(MessageType.ChangeMembersResponse, 1, true)]
    [InlineData(MessageType.TimeoutNow, 0, false)]
    [InlineData(MessageType.TimeoutNow, 1, true)]
    public void Term_is_there_or_not_as_the_type_says(MessageType type, long term, bool isValid)
    {
        bool carries = type is MessageType.Forward or MessageType.ChangeMembers;
        Message message = new()
        {
            Type = type, Term = term, Position = new(0, 1), Context = 1, Count = carries ? 1 : 0,
        };
        Assert.Equal(isValid ? DecodeStatus.Complete : DecodeStatus.Invalid, Decode(message, carries ? 48 : 0));
    }

    [Fact]
    public void Any_digest_goes_there_and_back()
    {
        Message message = new() { Type = MessageType.StateHash, Position = new(0, 7) };
        foreach (UInt128 digest in (ReadOnlySpan<UInt128>)[0, 1, UInt128.MaxValue, UInt128.MaxValue << 63])
        {
            Message sent = message with { Digest = digest };
            Assert.Equal(DecodeStatus.Complete, Frame.TryReadHeader(Encode(sent, 0), out Message decoded, out _));
            Assert.Equal((sent, digest), (decoded, decoded.Digest));
        }
        Assert.Equal(DecodeStatus.Invalid, Decode(message with { Count = 2 }, 0));
        Assert.Equal(DecodeStatus.Invalid, Decode(message with { Position = default }, 0));
    }

    [Theory]
    [InlineData(MessageType.ReadIndex)]
    [InlineData(MessageType.ReadIndexResponse)]
    [InlineData(MessageType.ForwardResponse)]
    [InlineData(MessageType.ChangeMembersResponse)]
    [InlineData(MessageType.InstallSnapshotResponse)]
    public void Requests_and_answers_that_are_numbered_have_no_number_0(MessageType type)
    {
        Message message = new() { Type = type, Term = 1, Context = 1 };
        Assert.Equal(DecodeStatus.Complete, Decode(message, 0));
        Assert.Equal(DecodeStatus.Invalid, Decode(message with { Context = 0 }, 0));
    }

    [Fact]
    public void Request_to_change_the_members_carries_one_record_and_its_answer_none()
    {
        Message request = new() { Type = MessageType.ChangeMembers, Context = 1, Count = 1 };
        Assert.Equal(DecodeStatus.Complete, Decode(request, 48));
        Assert.Equal(DecodeStatus.Invalid, Decode(request, 0));
        Assert.Equal(DecodeStatus.Invalid, Decode(request with { Count = 0 }, 0));
        Assert.Equal(DecodeStatus.Invalid, Decode(request with { Count = 2 }, 48));
        Assert.Equal(DecodeStatus.Invalid, Decode(request with { Context = 0 }, 48));
        Assert.Equal(
            DecodeStatus.Invalid,
            Decode(new Message { Type = MessageType.ChangeMembersResponse, Term = 1, Context = 1 }, 48));
        Assert.Equal(DecodeStatus.Invalid, Decode(new Message { Type = MessageType.TimeoutNow, Term = 1 }, 48));
    }

    [Fact]
    public void Part_of_a_snapshot_is_one_and_no_record()
    {
        Message part = new() { Type = MessageType.InstallSnapshot, Term = 1, Count = 1 };
        Assert.Equal(DecodeStatus.Complete, Decode(part, 4096));
        Assert.Equal(DecodeStatus.Invalid, Decode(part, 0));
        Assert.Equal(DecodeStatus.Invalid, Decode(part with { Count = 2 }, 4096));
        Assert.Equal(DecodeStatus.Invalid, Decode(part with { Term = 0 }, 4096));
        byte[] record = new byte[Protocol.Record.HeaderSize];
        Protocol.Record.Finish(record, RecordType.NoOp, 0);
        Assert.False(Frame.RecordsAreValid(part, record));
    }

    [Fact]
    public void Every_prefix_is_incomplete() =>
        Decoding.AssertEveryPrefixIsIncomplete(AppendHeader, source => Frame.TryReadHeader(source, out _, out _));

    [Fact]
    public void Every_flipped_bit_is_noticed()
    {
        Decoding.AssertEveryFlippedBitIsInvalid(AppendHeader, source => Frame.TryReadHeader(source, out _, out _));
        Decoding.AssertEveryFlippedBitIsInvalid(RejectionHeader, source => Frame.TryReadHeader(source, out _, out _));
    }

    public static TheoryData<int, byte[]> ImpossibleFields => new()
    {
        { 4, BitConverter.GetBytes(Frame.RecordsBytesMax + 8) },
        { 4, BitConverter.GetBytes(-8) },
        { 4, BitConverter.GetBytes(71) },
        { 4, BitConverter.GetBytes(0) },
        { 8, [0] },
        { 8, [18] },
        { 8, [(byte)MessageType.Heartbeat] },
        { 9, [2] },
        { 12, BitConverter.GetBytes(0) },
        { 12, BitConverter.GetBytes(-1) },
        { 16, BitConverter.GetBytes(-1L) },
        { 24, BitConverter.GetBytes(-1L) },
        { 32, BitConverter.GetBytes(-1L) },
        { 40, BitConverter.GetBytes(-1L) },
        { 48, BitConverter.GetBytes(-1L) },
    };

    [Theory]
    [MemberData(nameof(ImpossibleFields))]
    public void Impossible_field_is_invalid_though_the_checksum_is_right(int offset, byte[] value)
    {
        byte[] header = Decoding.With(AppendHeader, offset, value, 0, 4..Frame.HeaderSize);
        Assert.Equal(DecodeStatus.Invalid, Frame.TryReadHeader(header, out Message message, out int recordsLength));
        Assert.Equal(default, message);
        Assert.Equal(0, recordsLength);
    }

    [Theory]
    [InlineData(-8)]
    [InlineData(Frame.RecordsBytesMax + 8)]
    public void Longer_than_the_bound_is_never_written(int recordsLength) =>
        Assert.Throws<InvariantException>(() => Encode(Append, recordsLength));

    private static DecodeStatus Decode(Message message, int recordsLength) =>
        Frame.TryReadHeader(Encode(message, recordsLength), out _, out _);

    private static byte[] Encode(Message message, int recordsLength)
    {
        byte[] header = new byte[Frame.HeaderSize];
        header.AsSpan().Fill(0xEE);
        Frame.WriteHeader(header, message, recordsLength);
        return header;
    }
}
