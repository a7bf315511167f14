namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

/// <summary>Requests to change the members, as they go to the leader.</summary>
public sealed class MembershipChangeTests
{
    private const int AddressStart = 16;

    private static readonly MembershipChange Add = new(
        MembershipChangeKind.Add, 0x1122334455667788, new PeerAddress("127.0.0.1", 9024));

    private static readonly MembershipChange Remove = new(MembershipChangeKind.Remove, 3);

    [Fact]
    public void Layout_is_what_is_on_every_wire()
    {
        Assert.Equal(
            [1, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, .. "http://127.0.0.1:9024"u8],
            Payload(Add));
        Assert.Equal([2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0], Payload(Remove));
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        Assert.Equal(Add, MembershipChange.TryRead(Payload(Add)));
        Assert.Equal(Remove, MembershipChange.TryRead(Payload(Remove)));
    }

    [Fact]
    public void Record_is_finished_and_without_a_position()
    {
        byte[] record = Add.ToRecord();
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        Assert.Equal(
            (RecordType.MembershipChange, default(LogPosition), record.Length),
            (header.Type, header.Position, header.RecordLength));
    }

    /// <summary>
    /// A longer prefix may end with another valid address. Only the record's length and checksum show that it is a
    /// prefix.
    /// </summary>
    [Fact]
    public void Every_prefix_that_ends_before_a_host_is_no_change()
    {
        for (int length = 0; length <= AddressStart + "http://".Length; length++)
            Assert.Null(MembershipChange.TryRead(Payload(Add).AsSpan(0, length)));
        for (int length = 0; length < AddressStart; length++)
            Assert.Null(MembershipChange.TryRead(Payload(Remove).AsSpan(0, length)));
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_of_the_record_is_noticed()
    {
        Decoding.AssertEveryPrefixIsIncomplete(Add.ToRecord(), source => Record.TryRead(source, out _));
        Decoding.AssertEveryFlippedBitIsInvalid(Add.ToRecord(), source => Record.TryRead(source, out _));
    }

    [Fact]
    public void Damaged_byte_gives_a_valid_change_or_nothing()
    {
        byte[] payload = Payload(Add);
        for (int bit = 0; bit < payload.Length * 8; bit++)
        {
            byte[] damaged = [.. payload];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            MembershipChange? read = MembershipChange.TryRead(damaged);
            if (read is not null)
                Assert.Equal(read, MembershipChange.TryRead(Payload(read)));
        }
    }

    public static TheoryData<int, byte[]> Flaws => new()
    {
        { 0, [0] },
        { 0, [4] },
        { 0, [2] }, // Remove, with an address
        { 1, [1] },
        { 7, [1] },
        { 8, new byte[8] }, // no id
        { AddressStart, "https:/"u8.ToArray() },
        { AddressStart, [0xFF] },
    };

    [Theory]
    [MemberData(nameof(Flaws))]
    public void Flawed_field_is_no_change(int offset, byte[] value)
    {
        byte[] payload = Payload(Add);
        value.CopyTo(payload, offset);
        Assert.Null(MembershipChange.TryRead(payload));
    }

    private static byte[] Payload(MembershipChange change)
    {
        byte[] record = change.ToRecord();
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        return Record.Payload(record, header).ToArray();
    }
}
