using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class SipHashTests
{
    /// <summary>
    /// Hashes of the first n bytes of 00 01 02 …, under the key 00 01 … 0f. The input is that of the reference
    /// implementation's vectors; the rounds are those of SipHash-1-3. Other implementations publish the same hashes.
    /// </summary>
    private static readonly ulong[] Vectors =
    [
        0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb,
        0xcf75576088d38328, 0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140,
        0x369095118d299a8e, 0x25a48eb36c063de4, 0x79de85ee92ff097f, 0x70c118c1f94dc352,
        0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34, 0xd320d86d2a519956,
        0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c, 0x8ffc389cb473e63e, 0xf21f9de58d297d1c,
        0xc0dc2f46a6cce040, 0xb992abfe2b45f844, 0x7ffe7b9ba320872e, 0x525a0e7fdae6c123,
    ];

    [Fact]
    public void Hash_is_SipHash_1_3()
    {
        SipHash hash = new(0x0706050403020100, 0x0f0e0d0c0b0a0908);
        byte[] input = new byte[Vectors.Length];
        for (int i = 0; i < input.Length; i++)
        {
            input[i] = (byte)i;
            Assert.Equal(Vectors[i], hash.Hash(input.AsSpan(0, i)));
        }
    }

    [Fact]
    public void Process_has_a_key_of_its_own()
    {
        ulong hash = SipHash.OfProcess.Hash("/a"u8);
        Assert.NotEqual(new SipHash(0, 0).Hash("/a"u8), hash);
        Assert.Equal(SipHash.OfProcess.Hash("/a"u8), hash);
    }
}
