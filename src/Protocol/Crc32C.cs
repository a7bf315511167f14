using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace RaftFast.Protocol;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), computed by the processor's own instruction if there is one.
/// </summary>
public static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>
    /// Extends the <paramref name="checksum"/> of earlier bytes by the <paramref name="data"/> that follows them.
    /// </summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> data)
    {
        uint crc = ~checksum;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (ulong word in words)
        {
            ulong littleEndian = BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
            crc = BitOperations.Crc32C(crc, littleEndian);
        }
        foreach (byte b in data[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
