using System.Buffers.Binary;

namespace RaftFast.Protocol.Tests;

public sealed class KeyCommandTests
{
    [Fact]
    public void Layout_is_what_is_on_every_disk_and_wire()
    {
        byte[] payload = Encode(
            CommandOperation.Put, ConditionKinds.Match | ConditionKinds.NoneMatch, [5], [7], "tok"u8, "/k"u8, "v"u8,
            3000);
        byte[] expected =
        [
            2, 1, 2, 0, 5, 1, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0xB8, 0x0B, 0, 0, 0, 0, 0, 0,
            .. new byte[16], 5, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,
            (byte)'t', (byte)'o', (byte)'k', (byte)'/', (byte)'k', (byte)'v',
        ];
        Assert.Equal(expected, payload);
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        byte[] payload = Encode(
            CommandOperation.Put, ConditionKinds.Match | ConditionKinds.NoneMatch, [5, 6], [7], "tok"u8, "/k"u8, "v"u8,
            3000);
        KeyCommand.SetFingerprint(payload);
        Assert.Equal(DecodeStatus.Complete, KeyCommand.TryRead(payload, out KeyCommand command));
        Assert.Equal(CommandOperation.Put, command.Operation);
        Assert.Equal("tok"u8, command.Token);
        Assert.Equal("/k"u8, command.Key);
        Assert.Equal("v"u8, command.Value);
        Assert.Equal(3000, command.Argument);
        Assert.NotEqual(default, command.Fingerprint);
        Assert.Equal(ConditionResult.Hold, command.Conditions.Evaluate(6));
        Assert.Equal(ConditionResult.MatchFailed, command.Conditions.Evaluate(7));
    }

    [Fact]
    public void Plain_put_is_read_as_a_command_too()
    {
        byte[] payload = new byte[PutCommand.PayloadLength(2, 1)];
        payload[PutCommand.WriteKey(payload, "/k"u8)] = 9;
        Assert.Equal(DecodeStatus.Complete, KeyCommand.TryRead(payload, out KeyCommand command));
        Assert.False(KeyCommand.IsExtended(payload));
        Assert.Equal(CommandOperation.Put, command.Operation);
        Assert.True(command.Conditions.IsEmpty);
        Assert.Equal("/k"u8, command.Key);
        Assert.False(command.NeedsTime);
    }

    [Fact]
    public void Head_that_is_cut_off_is_incomplete()
    {
        byte[] payload = Encode(
            CommandOperation.Delete, ConditionKinds.Match, [5], [], default, "/key"u8, default, 0);
        for (int length = 0; length < payload.Length; length++)
            Assert.Equal(DecodeStatus.Incomplete, KeyCommand.TryRead(payload.AsSpan(0, length), out _));
        Assert.Equal(DecodeStatus.Complete, KeyCommand.TryRead(payload, out _));
    }

    /// <param name="at">Byte that is changed in a deletion with If-Match: "5".</param>
    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 0)]
    [InlineData(1, 3)] // an expiry has no condition
    [InlineData(1, 4)] // forgetting has no key
    [InlineData(1, 5)]
    [InlineData(3, 0x21)]
    [InlineData(4, 0)]
    [InlineData(4, 3)]
    [InlineData(4, 16)]
    [InlineData(5, 17)]
    [InlineData(7, 65)]
    [InlineData(15, 0x80)]
    [InlineData(16, 1)]
    [InlineData(24, 1)]
    public void Field_out_of_range_is_invalid(int at, byte changed)
    {
        byte[] payload = Encode(
            CommandOperation.Delete, ConditionKinds.Match, [5], [], default, "/key"u8, default, 0);
        payload[at] = changed;
        Assert.Equal(DecodeStatus.Invalid, KeyCommand.TryRead([.. payload, .. new byte[200]], out _));
    }

    [Fact]
    public void Fingerprint_tells_requests_apart_and_not_their_time()
    {
        byte[] first = WithFingerprint("/k"u8, "v"u8, 0);
        Assert.Equal(first, WithFingerprint("/k"u8, "v"u8, 0));
        Assert.NotEqual(Fingerprint(first), Fingerprint(WithFingerprint("/l"u8, "v"u8, 0)));
        Assert.NotEqual(Fingerprint(first), Fingerprint(WithFingerprint("/k"u8, "w"u8, 0)));
        Assert.NotEqual(Fingerprint(first), Fingerprint(WithFingerprint("/k"u8, "v"u8, 1000)));
        // The key's end and the value's beginning.
        Assert.NotEqual(
            Fingerprint(WithFingerprint("/kv"u8, ""u8, 0)), Fingerprint(WithFingerprint("/k"u8, "v"u8, 0)));
        byte[] record = RecordOf(first);
        Record.TryReadHeader(record, out RecordHeader header);
        CommandHead.SetTime(record, header, 77);
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out header));
        KeyCommand.TryRead(Record.Payload(record, header), out KeyCommand timed);
        Assert.Equal(77, timed.Time);
        Assert.Equal(Fingerprint(first), timed.Fingerprint);
    }

    [Fact]
    public void Fingerprint_is_the_same_in_every_version() => Assert.Equal(
        UInt128.Parse("b76b817a5aaefe5d2f32722d205f923e", System.Globalization.NumberStyles.HexNumber,
            System.Globalization.CultureInfo.InvariantCulture),
        Fingerprint(WithFingerprint("/k"u8, "v"u8, 0)));

    [Fact]
    public void Command_that_needs_no_time_keeps_its_bytes()
    {
        byte[] record = RecordOf(Encode(
            CommandOperation.Put, ConditionKinds.NoneMatch | ConditionKinds.NoneMatchAny, [], [], default, "/k"u8,
            "v"u8, 0));
        byte[] before = [.. record];
        Record.TryReadHeader(record, out RecordHeader header);
        CommandHead.SetTime(record, header, 77);
        Assert.Equal(before, record);
    }

    private static byte[] WithFingerprint(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long timeToLive)
    {
        byte[] payload = Encode(CommandOperation.Put, ConditionKinds.None, [], [], "t"u8, key, value, timeToLive);
        KeyCommand.SetFingerprint(payload);
        return payload;
    }

    private static UInt128 Fingerprint(byte[] payload)
    {
        Assert.Equal(DecodeStatus.Complete, KeyCommand.TryRead(payload, out KeyCommand command));
        return command.Fingerprint;
    }

    private static byte[] RecordOf(byte[] payload)
    {
        byte[] record = new byte[Record.LengthOf(payload.Length)];
        payload.CopyTo(record.AsSpan(Record.HeaderSize));
        Record.Finish(record, RecordType.Command, payload.Length);
        return record;
    }

    private static byte[] Encode(
        CommandOperation operation, ConditionKinds kinds, long[] match, long[] noneMatch, ReadOnlySpan<byte> token,
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long argument)
    {
        byte[] payload = new byte[
            KeyCommand.HeadBytes(match.Length + noneMatch.Length, token.Length) + key.Length + value.Length];
        int at = KeyCommand.WriteHead(
            payload, operation, new Conditions(kinds, Bytes(match), Bytes(noneMatch)), token, key, argument);
        value.CopyTo(payload.AsSpan(at));
        return payload;
    }

    private static byte[] Bytes(long[] tags)
    {
        byte[] bytes = new byte[tags.Length * Conditions.TagBytes];
        for (int i = 0; i < tags.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * Conditions.TagBytes), tags[i]);
        return bytes;
    }
}
