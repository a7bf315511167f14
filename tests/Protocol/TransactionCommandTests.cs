namespace RaftFast.Protocol.Tests;

public sealed class TransactionCommandTests
{
    [Fact]
    public void Layout_is_what_is_on_every_disk_and_wire()
    {
        byte[] payload = new byte[256];
        int length = TransactionCommand.WriteHead(payload, 1, 1, "tok"u8, 0x0102);
        length += TransactionPart.Write(payload.AsSpan(length), TransactionPartKind.HasTag, "/a"u8, default, 5);
        length += TransactionPart.Write(payload.AsSpan(length), TransactionPartKind.Put, "/b"u8, "v"u8, 3000);
        byte[] expected =
        [
            3, 1, 1, 3, 0, 0, 0, 0, .. new byte[8], 2, 1, 0, 0, 0, 0, 0, 0, .. new byte[16],
            (byte)'t', (byte)'o', (byte)'k',
            3, 0, 2, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, (byte)'/', (byte)'a',
            4, 0, 2, 0, 1, 0, 0, 0, 0xB8, 0x0B, 0, 0, 0, 0, 0, 0, (byte)'/', (byte)'b', (byte)'v',
        ];
        Assert.Equal(expected, payload[..length]);
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        byte[] payload = Whole("tok"u8, 7);
        TransactionCommand.SetFingerprint(payload);
        Assert.Equal(DecodeStatus.Complete, TransactionCommand.TryRead(payload, out TransactionCommand command));
        Assert.Equal("tok"u8, command.Token);
        Assert.Equal(7UL, command.Number);
        Assert.NotEqual(default, command.Fingerprint);
        Assert.True(command.NeedsTime);
        List<string> parts = [];
        foreach (TransactionPart part in command.Conditions)
            parts.Add($"{part.Kind} {Text(part.Key)} {part.Argument}");
        foreach (TransactionPart part in command.Operations)
            parts.Add($"{part.Kind} {Text(part.Key)} {part.Argument} {Text(part.Value)}");
        string[] expected =
        [
            "Exists /a 0", "Absent /b 0", "HasTag /c 9", "Put /a 0 value", "Put /b 1000 ", "Delete /c 0 ", "Get /d 0 ",
            "DeletePrefix /e/ 0 ",
        ];
        Assert.Equal(expected, parts);
        Decoding.AssertEveryPrefixIsIncomplete(payload, Decode);
    }

    [Fact]
    public void Fingerprint_does_not_depend_on_the_number()
    {
        Assert.Equal(Fingerprint(Whole("t"u8, 1)), Fingerprint(Whole("t"u8, 2)));
        byte[] other = Whole("t"u8, 1);
        other[^1]++;
        Assert.NotEqual(Fingerprint(Whole("t"u8, 1)), Fingerprint(other));
    }

    [Fact]
    public void Malformed_transaction_is_invalid()
    {
        byte[] payload = Whole(default, 1);
        // No operation; too many parts; a condition among the operations; bytes after the last part.
        AssertInvalid(payload, 2, 0);
        AssertInvalid(payload, 1, TransactionCommand.PartsMax + 1);
        AssertInvalid(payload, 1, 4);
        AssertInvalid(payload, 1, 2);
        Assert.Equal(DecodeStatus.Invalid, Decode([.. payload, 0]));
        // A kind that is none; a key that is no request target; a fingerprint without an idempotency key.
        AssertInvalid(payload, TransactionCommand.HeaderSize, 8);
        AssertInvalid(payload, TransactionCommand.HeaderSize + TransactionPart.HeaderSize, 0);
        AssertInvalid(payload, 24, 1);
        // An argument where none belongs.
        AssertInvalid(payload, TransactionCommand.HeaderSize + 8, 1);
    }

    [Fact]
    public void Keys_and_values_are_bounded_together()
    {
        Assert.Equal(DecodeStatus.Complete, Decode(TwoPuts(TransactionCommand.BytesMax)));
        Assert.Equal(DecodeStatus.Invalid, Decode(TwoPuts(TransactionCommand.BytesMax + 1)));
        Assert.True(TransactionCommand.PayloadBytesMax <= Record.PayloadBytesMax);
    }

    [Fact]
    public void Leader_sets_the_time_of_a_transaction_that_needs_one()
    {
        byte[] payload = Whole(default, 1);
        byte[] record = new byte[Record.LengthOf(payload.Length)];
        payload.CopyTo(record, Record.HeaderSize);
        Record.Finish(record, RecordType.Command, payload.Length);
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        CommandHead.SetTime(record, header, 77);
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out header));
        TransactionCommand.TryRead(Record.Payload(record, header), out TransactionCommand command);
        Assert.Equal(77, command.Time);
        Assert.False(command.MayBeClients);
    }

    private static byte[] Whole(ReadOnlySpan<byte> token, ulong number)
    {
        byte[] payload = new byte[1024];
        int length = TransactionCommand.WriteHead(payload, 3, 5, token, number);
        Add(TransactionPartKind.Exists, "/a"u8, default, 0);
        Add(TransactionPartKind.Absent, "/b"u8, default, 0);
        Add(TransactionPartKind.HasTag, "/c"u8, default, 9);
        Add(TransactionPartKind.Put, "/a"u8, "value"u8, 0);
        Add(TransactionPartKind.Put, "/b"u8, default, 1000);
        Add(TransactionPartKind.Delete, "/c"u8, default, 0);
        Add(TransactionPartKind.Get, "/d"u8, default, 0);
        Add(TransactionPartKind.DeletePrefix, "/e/"u8, default, 0);
        return payload[..length];

        void Add(TransactionPartKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long argument) =>
            length += TransactionPart.Write(payload.AsSpan(length), kind, key, value, argument);
    }

    private static byte[] TwoPuts(int bytes)
    {
        byte[] payload = new byte[TransactionCommand.PayloadBytesMax + 8];
        int length = TransactionCommand.WriteHead(payload, 0, 2, default, 1);
        length += TransactionPart.Write(payload.AsSpan(length), TransactionPartKind.Put, "/a"u8, new byte[bytes / 2]);
        int rest = bytes - (bytes / 2) - 4;
        length += TransactionPart.Write(payload.AsSpan(length), TransactionPartKind.Put, "/b"u8, new byte[rest]);
        return payload[..length];
    }

    private static UInt128 Fingerprint(byte[] payload)
    {
        TransactionCommand.SetFingerprint(payload);
        Assert.Equal(DecodeStatus.Complete, TransactionCommand.TryRead(payload, out TransactionCommand command));
        return command.Fingerprint;
    }

    private static void AssertInvalid(byte[] payload, int offset, byte value)
    {
        byte[] changed = [.. payload];
        changed[offset] = value;
        Assert.NotEqual(DecodeStatus.Complete, Decode(changed));
    }

    private static DecodeStatus Decode(ReadOnlySpan<byte> payload) => TransactionCommand.TryRead(payload, out _);

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.ASCII.GetString(bytes);
}
