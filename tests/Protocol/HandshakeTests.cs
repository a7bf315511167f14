using System.Buffers.Binary;
using System.Text;

namespace RaftFast.Protocol.Tests;

public sealed class HandshakeTests
{
    private const int VersionOffset = 8;

    private const int LengthOffset = 48;

    /// <summary>253 bytes, in labels of at most 63 (RFC 1035 §2.3.4).</summary>
    private static readonly string LongHost = string.Join(
        '.', new string('a', 63), new string('b', 63), new string('c', 63), new string('d', 61));

    private static readonly Handshake Sample =
        new(
            ClusterId: 0x1122334455667788, From: 2, To: 3, Directory: 0x99AABBCCDDEEFF00,
            new PeerAddress("127.0.0.1", 9022))
        {
            CommandVersion = 2,
        };

    private static readonly byte[] SampleBytes =
    [
        0x52, 0x61, 0x66, 0x74, 0x46, 0x61, 0x73, 0x74, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xEE, 0xDD, 0xCC, 0xBB, 0xAA, 0x99,
        0x15, 0x00, 0x00, 0x00, .. "http://127.0.0.1:9022"u8, .. new byte[246], 2, 0, 0, 0, 0,
        0x1A, 0x92, 0x80, 0xB7,
    ];

    private static readonly byte[] WrongClusterBytes =
        [0x52, 0x61, 0x66, 0x74, 0x46, 0x61, 0x73, 0x74, 0x02, 0x00, 0x00, 0x00, 0x1B, 0xF1, 0x74, 0x6D];

    [Fact]
    public void Layout_is_what_is_on_every_wire()
    {
        byte[] bytes = new byte[Handshake.Size];
        bytes.AsSpan().Fill(0xEE);
        Sample.Write(bytes);
        Assert.Equal(SampleBytes, bytes);
        byte[] answer = new byte[Handshake.AnswerSize];
        Handshake.WriteAnswer(answer, HandshakeStatus.WrongCluster);
        Assert.Equal(WrongClusterBytes, answer);
    }

    [Fact]
    public void Decoded_is_what_was_encoded()
    {
        Assert.Equal(DecodeStatus.Complete, Handshake.TryRead(SampleBytes, out Handshake handshake, out uint version));
        Assert.Equal(Sample, handshake);
        Assert.Equal(Handshake.Version, version);
        Assert.Equal(DecodeStatus.Complete, Handshake.TryReadAnswer(WrongClusterBytes, out HandshakeStatus status));
        Assert.Equal(HandshakeStatus.WrongCluster, status);
    }

    [Fact]
    public void Every_answer_goes_there_and_back()
    {
        byte[] answer = new byte[Handshake.AnswerSize];
        foreach (HandshakeStatus status in Enum.GetValues<HandshakeStatus>())
        {
            Handshake.WriteAnswer(answer, status);
            Assert.Equal(DecodeStatus.Complete, Handshake.TryReadAnswer(answer, out HandshakeStatus decoded));
            Assert.Equal(status, decoded);
        }
    }

    [Theory]
    [InlineData("http://[::1]:1")]
    [InlineData("http://node-3.example:65535")]
    public void Any_address_goes_there_and_back(string url) => AssertThereAndBack(PeerAddress.TryParse(url, out _)!);

    [Fact]
    public void Promises_of_the_directory_go_there_and_back_after_the_longest_address()
    {
        byte[] bytes = new byte[Handshake.Size];
        Handshake longest = Sample with { HasPromised = true, Address = new PeerAddress(LongHost, 65535) };
        longest.Write(bytes);
        Assert.Equal(DecodeStatus.Complete, Handshake.TryRead(bytes, out Handshake handshake, out _));
        Assert.Equal(longest, handshake);
    }

    [Fact]
    public void Kind_of_the_connection_goes_there_and_back_and_no_other_is_valid()
    {
        byte[] bytes = new byte[Handshake.Size];
        foreach (ConnectionKind kind in Enum.GetValues<ConnectionKind>())
        {
            (Sample with { Kind = kind }).Write(bytes);
            Assert.Equal((byte)kind, bytes[12]);
            Assert.Equal(DecodeStatus.Complete, Handshake.TryRead(bytes, out Handshake handshake, out _));
            Assert.Equal(kind, handshake.Kind);
        }
        byte[] unknown = Decoding.With(SampleBytes, 12, [3], Handshake.Size - 4, ..(Handshake.Size - 4));
        Assert.Equal(DecodeStatus.Invalid, Handshake.TryRead(unknown, out _, out _));
    }

    [Fact]
    public void Longest_address_fits() => AssertThereAndBack(PeerAddress.TryParse($"http://{LongHost}:65535", out _)!);

    [Theory]
    [InlineData("https://127.0.0.1:9022")]
    [InlineData("127.0.0.1:9022")]
    [InlineData("")]
    [InlineData("http://127.0.0.1:9022/path")]
    public void Address_that_is_no_members_is_invalid_though_the_checksum_is_right(string url)
    {
        byte[] field = [(byte)url.Length, 0, 0, 0, .. Encoding.UTF8.GetBytes(url)];
        byte[] changed = Decoding.With(SampleBytes, LengthOffset, field, Handshake.Size - 4, ..(Handshake.Size - 4));
        Assert.Equal(DecodeStatus.Invalid, Handshake.TryRead(changed, out Handshake handshake, out _));
        Assert.Equal(default, handshake);
    }

    [Theory]
    [InlineData(PeerAddress.UrlBytesMax + 1)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    public void Address_beyond_its_bound_is_invalid_though_the_checksum_is_right(int length)
    {
        byte[] changed = Decoding.With(
            SampleBytes, LengthOffset, BitConverter.GetBytes(length), Handshake.Size - 4, ..(Handshake.Size - 4));
        Assert.Equal(DecodeStatus.Invalid, Handshake.TryRead(changed, out _, out _));
    }

    [Fact]
    public void Every_prefix_is_incomplete()
    {
        Decoding.AssertEveryPrefixIsIncomplete(SampleBytes, source => Handshake.TryRead(source, out _, out _));
        Decoding.AssertEveryPrefixIsIncomplete(WrongClusterBytes, source => Handshake.TryReadAnswer(source, out _));
    }

    [Fact]
    public void Wrong_magic_is_invalid_from_the_first_wrong_byte_on()
    {
        for (int length = 1; length <= 8; length++)
        {
            byte[] start = SampleBytes[..length];
            start[^1] ^= 0x20;
            Assert.Equal(DecodeStatus.Invalid, Handshake.TryRead(start, out _, out _));
            Assert.Equal(DecodeStatus.Invalid, Handshake.TryReadAnswer(start, out _));
        }
    }

    [Fact]
    public void Every_flipped_bit_is_noticed_and_one_in_the_version_reads_as_another_version()
    {
        byte[] damaged = [.. SampleBytes];
        for (int bit = 0; bit < damaged.Length * 8; bit++)
        {
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            DecodeStatus status = Handshake.TryRead(damaged, out Handshake handshake, out uint version);
            bool inVersion = bit / 8 is >= VersionOffset and < VersionOffset + sizeof(uint);
            Assert.Equal(inVersion ? DecodeStatus.Complete : DecodeStatus.Invalid, status);
            Assert.True(!inVersion || version != Handshake.Version);
            Assert.Equal(default, handshake);
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Decoding.AssertEveryFlippedBitIsInvalid(WrongClusterBytes, source => Handshake.TryReadAnswer(source, out _));
    }

    [Fact]
    public void Another_version_is_told_whatever_else_it_changed()
    {
        byte[] later = new byte[Handshake.Size];
        later.AsSpan().Fill(0xEE);
        "RaftFast"u8.CopyTo(later);
        BinaryPrimitives.WriteUInt32LittleEndian(later.AsSpan(VersionOffset), 2);
        Assert.Equal(DecodeStatus.Complete, Handshake.TryRead(later, out Handshake handshake, out uint version));
        Assert.Equal(2u, version);
        Assert.Equal(default, handshake);
    }

    private static void AssertThereAndBack(PeerAddress address)
    {
        byte[] bytes = new byte[Handshake.Size];
        (Sample with { Address = address }).Write(bytes);
        Assert.Equal(DecodeStatus.Complete, Handshake.TryRead(bytes, out Handshake handshake, out _));
        Assert.Equal(address, handshake.Address);
    }
}
