using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace RaftFast.Protocol;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), computed by the processor's own instruction if there is one.
/// <para>
/// The instruction's result takes three cycles, and another one may begin in each cycle. So longer data is cut into
/// three streams of one length, whose checksums are computed together. A checksum is linear. The checksum of a stream
/// and n further bytes is the xor of two values: the stream's checksum, shifted by n zero bytes, and the checksum of
/// the n bytes alone.
/// </para>
/// </summary>
public static class Crc32C
{
    private const int Streams = 3;

    /// <summary>
    /// Bytes of a long stream. A shift costs as much as 200 bytes in streams, so long streams need few shifts. Bytes
    /// after the last three streams are three times as slow, so short streams leave few such bytes.
    /// </summary>
    private const int LongStream = 4096;
    private const int ShortStream = 256;

    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>
    /// Extends the <paramref name="checksum"/> of earlier bytes by the <paramref name="data"/> that follows them.
    /// </summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> data)
    {
        uint crc = ~checksum;
        if (data.Length >= Streams * ShortStream)
        {
            for (; data.Length >= Streams * LongStream; data = data[(Streams * LongStream)..])
                crc = AppendStreams(crc, data, LongStream, Shift.ByLongStream);
            for (; data.Length >= Streams * ShortStream; data = data[(Streams * ShortStream)..])
                crc = AppendStreams(crc, data, ShortStream, Shift.ByShortStream);
        }
        return ~AppendRaw(crc, data);
    }

    private static uint AppendRaw(uint crc, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (ulong word in words)
            crc = BitOperations.Crc32C(crc, LittleEndian(word));
        foreach (byte b in data[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    /// <summary>Appends the first three streams of the data.</summary>
    private static uint AppendStreams(uint crc, ReadOnlySpan<byte> data, int streamBytes, Shift shift)
    {
        ReadOnlySpan<ulong> first = MemoryMarshal.Cast<byte, ulong>(data[..streamBytes]);
        ReadOnlySpan<ulong> second = MemoryMarshal.Cast<byte, ulong>(data.Slice(streamBytes, streamBytes));
        ReadOnlySpan<ulong> third = MemoryMarshal.Cast<byte, ulong>(data.Slice(2 * streamBytes, streamBytes));
        uint a = crc;
        uint b = 0;
        uint c = 0;
        for (int i = 0; i < first.Length && i < second.Length && i < third.Length; i++)
        {
            a = BitOperations.Crc32C(a, LittleEndian(first[i]));
            b = BitOperations.Crc32C(b, LittleEndian(second[i]));
            c = BitOperations.Crc32C(c, LittleEndian(third[i]));
        }
        return shift.Of(shift.Of(a) ^ b) ^ c;
    }

    private static ulong LittleEndian(ulong word) =>
        BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);

    /// <summary>
    /// Appends a fixed number of zero bytes to a checksum without inversion. A table for each byte of the checksum
    /// holds that byte's part of the result.
    /// </summary>
    private sealed class Shift
    {
        public static readonly Shift ByLongStream = new(LongStream);
        public static readonly Shift ByShortStream = new(ShortStream);

        private readonly uint[] table = new uint[4 * 256];

        private Shift(int zeros)
        {
            for (int bit = 0; bit < 32; bit++)
            {
                uint crc = 1u << bit;
                for (int i = 0; i < zeros; i += sizeof(ulong))
                    crc = BitOperations.Crc32C(crc, 0UL);
                // Fill in all values of this byte in which this bit is the highest.
                int start = bit / 8 * 256;
                int high = 1 << (bit % 8);
                for (int low = 0; low < high; low++)
                    table[start + high + low] = table[start + low] ^ crc;
            }
        }

        public uint Of(uint crc) =>
            table[(byte)crc] ^ table[256 + (byte)(crc >> 8)]
            ^ table[512 + (byte)(crc >> 16)] ^ table[768 + (crc >> 24)];
    }
}
