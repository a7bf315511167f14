namespace RaftFast.Protocol.Tests;

/// <summary>Checks for every decoder: each shorter input is incomplete, and each damaged bit is noticed.</summary>
internal static class Decoding
{
    public delegate DecodeStatus Decoder(ReadOnlySpan<byte> source);

    public static void AssertEveryPrefixIsIncomplete(ReadOnlySpan<byte> encoded, Decoder decode)
    {
        for (int length = 0; length < encoded.Length; length++)
            Assert.Equal(DecodeStatus.Incomplete, decode(encoded[..length]));
        Assert.Equal(DecodeStatus.Complete, decode(encoded));
    }

    public static void AssertEveryFlippedBitIsInvalid(ReadOnlySpan<byte> encoded, Decoder decode)
    {
        byte[] damaged = encoded.ToArray();
        for (int bit = 0; bit < encoded.Length * 8; bit++)
        {
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(DecodeStatus.Invalid, decode(damaged));
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Assert.Equal(DecodeStatus.Complete, decode(damaged));
    }

    /// <summary>Changes a field and corrects the checksum, so that only the field is wrong.</summary>
    public static byte[] With(
        ReadOnlySpan<byte> encoded, int offset, ReadOnlySpan<byte> value, int checksumOffset, Range covered)
    {
        byte[] changed = encoded.ToArray();
        value.CopyTo(changed.AsSpan(offset));
        BitConverter.TryWriteBytes(changed.AsSpan(checksumOffset), Crc32C.Compute(changed.AsSpan()[covered]));
        return changed;
    }
}
