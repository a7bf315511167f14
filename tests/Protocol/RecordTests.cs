namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

public sealed class RecordTests
{
    /// <summary>Type Command, position (7, 9), payload "abc".</summary>
    private static readonly byte[] Abc =
    [
        0x80, 0x73, 0x7B, 0x53, 0x03, 0x00, 0x00, 0x00, 0xB7, 0x3F, 0x4B, 0x36, 0x01, 0x00, 0x00, 0x00,
        0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x61, 0x62, 0x63, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    /// <summary>Type NoOp, position (3, 1).</summary>
    private static readonly byte[] NoOp =
    [
        0xC7, 0x35, 0x8A, 0xC3, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
        0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    public static TheoryData<byte[]> Both => [Abc, NoOp];

    [Fact]
    public void Layout_is_what_is_on_every_disk()
    {
        Assert.Equal(Abc, Encode("abc"u8, RecordType.Command, new(7, 9)));
        Assert.Equal(NoOp, Encode([], RecordType.NoOp, new(3, 1)));
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(Abc, out RecordHeader header));
        Assert.Equal(new RecordHeader(RecordType.Command, new(7, 9), 3, Crc32C.Compute("abc"u8)), header);
        Assert.Equal(Abc.Length, header.RecordLength);
        Assert.Equal("abc"u8, Record.Payload(Abc, header));
        Assert.Equal(
            DecodeStatus.Complete, Record.TryReadHeader(Abc.AsSpan(0, Record.HeaderSize), out RecordHeader alone));
        Assert.Equal(header, alone);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Every_prefix_is_incomplete(byte[] record)
    {
        Decoding.AssertEveryPrefixIsIncomplete(record, source => Record.TryRead(source, out _));
        Decoding.AssertEveryPrefixIsIncomplete(
            record.AsSpan(0, Record.HeaderSize), source => Record.TryReadHeader(source, out _));
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Every_flipped_bit_is_noticed_the_padding_included(byte[] record)
    {
        Decoding.AssertEveryFlippedBitIsInvalid(record, source => Record.TryRead(source, out _));
        Decoding.AssertEveryFlippedBitIsInvalid(
            record.AsSpan(0, Record.HeaderSize), source => Record.TryReadHeader(source, out _));
    }

    [Fact]
    public void Bytes_after_a_record_do_not_matter()
    {
        Assert.Equal(DecodeStatus.Complete, Record.TryRead([.. Abc, 0xFF], out RecordHeader header));
        Assert.Equal(3, header.PayloadLength);
    }

    [Fact]
    public void Every_payload_length_is_padded_to_a_multiple_of_8_with_zeros()
    {
        byte[] payload = new byte[40];
        new Random(1).NextBytes(payload);
        for (int length = 0; length <= payload.Length; length++)
        {
            byte[] record = new byte[Record.LengthOf(length)];
            record.AsSpan().Fill(0xEE);
            payload.AsSpan(0, length).CopyTo(record.AsSpan(Record.HeaderSize));
            Record.Finish(record, RecordType.Command, length);
            Assert.Equal(0, record.Length % Record.Alignment);
            Assert.InRange(record.Length - Record.HeaderSize - length, 0, Record.Alignment - 1);
            Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
            Assert.Equal(payload.AsSpan(0, length), Record.Payload(record, header));
            Assert.Equal(default, header.Position);
        }
    }

    [Fact]
    public void Stamping_again_moves_the_record_and_leaves_its_payload_alone()
    {
        byte[] record = Encode("abc"u8, RecordType.Command, new(1, 1));
        Record.Stamp(record, new(7, 9));
        Assert.Equal(Abc, record);
    }

    [Fact]
    public void Extremes_are_valid()
    {
        byte[] payload = new byte[Record.PayloadBytesMax];
        byte[] record = Encode(payload, RecordType.Command, new(LogPosition.Greatest, LogPosition.Greatest));
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        Assert.Equal(new LogPosition(LogPosition.Greatest, LogPosition.Greatest), header.Position);
        Assert.Equal(Record.PayloadBytesMax, header.PayloadLength);
    }

    public static TheoryData<int, byte[]> ImpossibleFields => new()
    {
        { 4, BitConverter.GetBytes(Record.PayloadBytesMax + 1) },
        { 4, BitConverter.GetBytes(-1) },
        { 12, [0] },
        { 12, [6] },
        { 13, [1] },
        { 15, [1] },
        { 16, BitConverter.GetBytes(-1L) },
        { 24, BitConverter.GetBytes(long.MinValue) },
    };

    [Theory]
    [MemberData(nameof(ImpossibleFields))]
    public void Impossible_field_is_invalid_though_the_checksum_is_right(int offset, byte[] value) =>
        Assert.Equal(
            DecodeStatus.Invalid,
            Record.TryReadHeader(Decoding.With(Abc, offset, value, 0, 4..Record.HeaderSize), out _));

    [Fact]
    public void Finishing_needs_exactly_the_records_length()
    {
        Assert.Throws<InvariantException>(() => Record.Finish(new byte[48], RecordType.Command, 3));
        Assert.Throws<InvariantException>(() => Record.Finish(new byte[35], RecordType.Command, 3));
    }

    private static byte[] Encode(ReadOnlySpan<byte> payload, RecordType type, LogPosition position)
    {
        byte[] record = new byte[Record.LengthOf(payload.Length)];
        payload.CopyTo(record.AsSpan(Record.HeaderSize));
        Record.Finish(record, type, payload.Length);
        Record.Stamp(record, position);
        return record;
    }
}
