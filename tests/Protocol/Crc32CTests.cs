namespace RaftFast.Protocol.Tests;

public sealed class Crc32CTests
{
    /// <summary>The polynomial of Castagnoli, its bits reversed.</summary>
    private const uint Polynomial = 0x82F63B78;

    public static TheoryData<byte[], uint> Vectors => new()
    {
        { [], 0 },
        { "123456789"u8.ToArray(), 0xE3069283 },
        // RFC 3720, appendix B.4.
        { new byte[32], 0x8A9136AA },
        { [.. Enumerable.Repeat((byte)0xFF, 32)], 0x62A8AB43 },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 0x46DD794E },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))], 0x113FDB5C },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Checksum_is_that_of_the_published_vectors(byte[] data, uint checksum) =>
        Assert.Equal(checksum, Crc32C.Compute(data));

    [Fact]
    public void Checksum_of_a_whole_is_that_of_its_parts_cut_anywhere()
    {
        byte[] data = new byte[67];
        new Random(1).NextBytes(data);
        for (int cut = 0; cut <= data.Length; cut++)
            Assert.Equal(Crc32C.Compute(data), Crc32C.Append(Crc32C.Compute(data.AsSpan(0, cut)), data.AsSpan(cut)));
    }

    /// <summary>Every length up to more than a round of short streams, at each offset from a word.</summary>
    [Fact]
    public void Checksum_is_that_of_the_definition_at_every_length_and_offset()
    {
        byte[] data = new byte[4096 + 8];
        new Random(2).NextBytes(data);
        for (int offset = 0; offset < 8; offset++)
        {
            uint expected = 0;
            for (int length = 0; length <= 4096; length++)
            {
                Assert.Equal(expected, Crc32C.Compute(data.AsSpan(offset, length)));
                expected = Bitwise(expected, data.AsSpan(offset + length, Math.Min(1, data.Length - offset - length)));
            }
        }
    }

    [Theory]
    [InlineData(3 * 4096 - 1)]
    [InlineData(3 * 4096)]
    [InlineData(3 * 4096 + 3 * 256 + 7)]
    [InlineData(65_536)]
    [InlineData(1_048_579)]
    public void Checksum_is_that_of_the_definition_for_long_data(int length)
    {
        byte[] data = new byte[length + 3];
        new Random(length).NextBytes(data);
        Assert.Equal(Bitwise(0x1234_5678, data.AsSpan(3)), Crc32C.Append(0x1234_5678, data.AsSpan(3)));
    }

    private static uint Bitwise(uint checksum, ReadOnlySpan<byte> data)
    {
        uint crc = ~checksum;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ Polynomial;
        }
        return ~crc;
    }
}
