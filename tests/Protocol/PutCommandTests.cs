namespace RaftFast.Protocol.Tests;

using Record = RaftFast.Protocol.Record;

public sealed class PutCommandTests
{
    /// <summary>Key "/k", value "val".</summary>
    private static readonly byte[] Sample =
        [1, 0, 2, 0, 0, 0, 0, 0, (byte)'/', (byte)'k', (byte)'v', (byte)'a', (byte)'l'];

    private static readonly int HeaderAndKey = PutCommand.HeaderSize + 2;

    [Fact]
    public void Layout_is_what_is_on_every_disk()
    {
        Assert.Equal(Sample, Encode("/k"u8, "val"u8));
        Assert.Equal([1, 0, 0x00, 0x20], Encode(new byte[PutCommand.KeyBytesMax], [])[..4]);
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        Assert.Equal(DecodeStatus.Complete, PutCommand.TryRead(Sample, out PutCommand command));
        Assert.Equal("/k"u8, command.Key);
        Assert.Equal("val"u8, command.Value);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(PutCommand.KeyBytesMax, PutCommand.ValueBytesMax)]
    public void Keys_and_values_at_their_limits_are_valid(int keyLength, int valueLength)
    {
        byte[] payload = Encode(new byte[keyLength], new byte[valueLength]);
        Assert.InRange(payload.Length, 0, Record.PayloadBytesMax);
        Assert.Equal(DecodeStatus.Complete, PutCommand.TryRead(payload, out PutCommand command));
        Assert.Equal(keyLength, command.Key.Length);
        Assert.Equal(valueLength, command.Value.Length);
    }

    [Fact]
    public void Largest_payload_is_the_largest_command() =>
        Assert.Equal(
            Record.PayloadBytesMax,
            KeyCommand.HeadBytes(2 * Conditions.TagsMax, KeyCommand.TokenBytesMax) + PutCommand.KeyBytesMax
                + PutCommand.ValueBytesMax);

    /// <summary>
    /// The value ends with the payload, so that a payload with a whole key is complete at any length.
    /// </summary>
    [Fact]
    public void Every_prefix_that_ends_before_the_key_does_is_incomplete()
    {
        for (int length = 0; length < HeaderAndKey; length++)
            Assert.Equal(DecodeStatus.Incomplete, PutCommand.TryRead(Sample.AsSpan(0, length), out _));
        for (int length = HeaderAndKey; length <= Sample.Length; length++)
        {
            Assert.Equal(DecodeStatus.Complete, PutCommand.TryRead(Sample.AsSpan(0, length), out PutCommand command));
            Assert.Equal(length - HeaderAndKey, command.Value.Length);
        }
    }

    /// <summary>The record's checksum covers the other bytes.</summary>
    [Fact]
    public void Every_flipped_bit_in_the_fixed_fields_is_invalid()
    {
        for (int bit = 0; bit < PutCommand.HeaderSize * 8; bit++)
        {
            if (bit / 8 is 2 or 3)
                continue;
            byte[] damaged = [.. Sample];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(DecodeStatus.Invalid, PutCommand.TryRead(damaged, out _));
        }
    }

    [Fact]
    public void Empty_key_over_long_key_and_over_long_value_are_invalid()
    {
        Assert.Equal(DecodeStatus.Invalid, PutCommand.TryRead([1, 0, 0, 0, 0, 0, 0, 0], out _));
        Assert.Equal(DecodeStatus.Invalid, PutCommand.TryRead([1, 0, 0x01, 0x20, 0, 0, 0, 0], out _));
        byte[] overLong = new byte[PutCommand.PayloadLength(2, PutCommand.ValueBytesMax + 1)];
        Sample.CopyTo(overLong, 0);
        Assert.Equal(DecodeStatus.Invalid, PutCommand.TryRead(overLong, out _));
        Assert.Equal(DecodeStatus.Complete, PutCommand.TryRead(overLong.AsSpan(0, overLong.Length - 1), out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(PutCommand.KeyBytesMax + 1)]
    public void Key_outside_its_limits_is_never_written(int length) =>
        Assert.Throws<InvariantException>(() => PutCommand.WriteKey(new byte[16_384], new byte[length]));

    private static byte[] Encode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        byte[] payload = new byte[PutCommand.PayloadLength(key.Length, value.Length)];
        payload.AsSpan().Fill(0xEE);
        value.CopyTo(payload.AsSpan(PutCommand.WriteKey(payload, key)));
        return payload;
    }
}
