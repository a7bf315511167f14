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
        Assert.Equal(DecodeStatus.Complete, Frame.TryReadHeader(AppendHeader, out Message append, out int recordsLength));
        Assert.Equal(Append, append);
        Assert.Equal(72, recordsLength);
        Assert.Equal(DecodeStatus.Complete, Frame.TryReadHeader(RejectionHeader, out Message rejection, out recordsLength));
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
            bool carries = type is MessageType.Append or MessageType.Forward;
            Message message = new()
            {
                Type = type,
                Count = carries ? 1 : 5,
                Term = type == MessageType.Forward ? 0 : LogPosition.Greatest,
                Commit = LogPosition.Greatest,
                Context = long.MaxValue,
            };
            int length = carries ? Frame.RecordsBytesMax : 0;
            Assert.Equal(DecodeStatus.Complete, Frame.TryReadHeader(Encode(message, length), out Message decoded, out int recordsLength));
            Assert.Equal(message, decoded);
            Assert.Equal(length, recordsLength);
        }
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
        { 8, [13] },
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

    private static byte[] Encode(Message message, int recordsLength)
    {
        byte[] header = new byte[Frame.HeaderSize];
        header.AsSpan().Fill(0xEE);
        Frame.WriteHeader(header, message, recordsLength);
        return header;
    }
}
