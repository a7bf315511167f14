namespace RaftFast.Protocol.Tests;

public sealed class Crc32CTests
{
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
}
