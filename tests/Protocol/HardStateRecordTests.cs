namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

public sealed class HardStateRecordTests
{
    /// <summary>Term 5, vote for 2.</summary>
    private static readonly byte[] Term5Vote2 =
    [
        0xFC, 0xF1, 0xD3, 0xED, 0x08, 0x00, 0x00, 0x00, 0xC4, 0x48, 0x50, 0x1E, 0x03, 0x00, 0x00, 0x00,
        0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ];

    [Fact]
    public void Layout_is_what_is_on_every_disk()
    {
        byte[] record = new byte[HardStateRecord.Size];
        HardStateRecord.Write(record, new HardState(5, 2));
        Assert.Equal(Term5Vote2, record);
    }

    [Theory]
    [InlineData(5, 2)]
    [InlineData(0, 0)]
    [InlineData(LogPosition.Greatest, ulong.MaxValue)]
    public void Decoded_is_what_was_encoded(long term, ulong vote)
    {
        byte[] record = new byte[HardStateRecord.Size];
        HardStateRecord.Write(record, new HardState(term, vote));
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        Assert.True(HardStateRecord.TryRead(record, header, out HardState state));
        Assert.Equal(new HardState(term, vote), state);
    }

    [Fact]
    public void Every_prefix_is_incomplete_and_every_flipped_bit_is_noticed()
    {
        Decoding.AssertEveryPrefixIsIncomplete(Term5Vote2, source => Record.TryRead(source, out _));
        Decoding.AssertEveryFlippedBitIsInvalid(Term5Vote2, source => Record.TryRead(source, out _));
    }

    [Theory]
    [InlineData(RecordType.Command, 8, 0)]
    [InlineData(RecordType.NoOp, 0, 0)]
    [InlineData(RecordType.HardState, 9, 0)]
    [InlineData(RecordType.HardState, 7, 0)]
    [InlineData(RecordType.HardState, 8, 1)]
    public void Other_records_are_no_hard_state(RecordType type, int payloadLength, long index)
    {
        byte[] record = new byte[Record.LengthOf(payloadLength)];
        Record.Finish(record, type, payloadLength);
        Record.Stamp(record, new LogPosition(5, index));
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        Assert.False(HardStateRecord.TryRead(record, header, out HardState state));
        Assert.Equal(default, state);
    }
}
