using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// A chunk of a snapshot, the same on disk and on the wire, in whole blocks of 4096 bytes. Little-endian:
/// <code>
///  0  u32  checksum          CRC-32C of bytes 4 to 32, continued from the salt
///  4  u32  magic             "RFsc"
///  8  i32  sequence          from 1
/// 12  i32  payload length    bytes, without the padding
/// 16  i32  entries
/// 20  u32  payload checksum  CRC-32C of the payload, without the padding
/// 24       zeros
/// 32       payload, then zeros up to a multiple of 4096
/// </code>
/// The salt is the checksum of the file's header. So a chunk is valid only in its own file, and its sequence gives its
/// only place in this file.
/// </summary>
public readonly record struct SnapshotChunk(int Sequence, int PayloadLength, int Entries, uint PayloadChecksum)
{
    public const int HeaderSize = 32;

    /// <summary>Maximum size with header and padding. A buffer of this size holds any part of a snapshot.</summary>
    public const int BytesMax = 1280 << 10;

    /// <summary>Maximum payload. The largest entry fits: its header, a key of 8 KiB and a value of 1 MiB.</summary>
    public const int PayloadBytesMax = BytesMax - HeaderSize;

    /// <summary>
    /// Usual payload: so large that a chunk's fixed cost is small, so small that writing a chunk delays the log only
    /// briefly.
    /// </summary>
    public const int PayloadBytesTypical = (256 << 10) - HeaderSize;

    private const uint Magic = 0x63734652;

    /// <summary>Size with header and padding.</summary>
    public int BytesOnDisk => AlignedMemory.RoundUp(HeaderSize + PayloadLength);

    internal ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> image) => image.Slice(HeaderSize, PayloadLength);

    /// <summary>Writes header and padding around a payload that is already at <see cref="HeaderSize"/>.</summary>
    internal static SnapshotChunk Write(Span<byte> destination, uint salt, int sequence, int payloadLength, int entries)
    {
        Invariant.Hold(payloadLength is > 0 and <= PayloadBytesMax);
        Invariant.Hold(entries >= 0);
        uint payloadChecksum = Crc32C.Compute(destination.Slice(HeaderSize, payloadLength));
        SnapshotChunk chunk = new(sequence, payloadLength, entries, payloadChecksum);
        Span<byte> image = destination[..chunk.BytesOnDisk];
        image[..HeaderSize].Clear();
        image[(HeaderSize + payloadLength)..].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(image[4..], Magic);
        BinaryPrimitives.WriteInt32LittleEndian(image[8..], sequence);
        BinaryPrimitives.WriteInt32LittleEndian(image[12..], payloadLength);
        BinaryPrimitives.WriteInt32LittleEndian(image[16..], entries);
        BinaryPrimitives.WriteUInt32LittleEndian(image[20..], chunk.PayloadChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(image, Crc32C.Append(salt, image[4..HeaderSize]));
        return chunk;
    }

    /// <summary>
    /// Reads the header alone. The payload may be damaged or not there yet: see <see cref="TryRead"/>.
    /// </summary>
    internal static DecodeStatus TryReadHeader(ReadOnlySpan<byte> source, uint salt, out SnapshotChunk chunk)
    {
        chunk = default;
        if (source.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != Magic)
            return DecodeStatus.Invalid;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) != Crc32C.Append(salt, source[4..HeaderSize]))
            return DecodeStatus.Invalid;
        SnapshotChunk read = new(
            BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[20..]));
        if (read.Sequence <= 0 || read.PayloadLength is <= 0 or > PayloadBytesMax || read.Entries < 0)
            return DecodeStatus.Invalid;
        if (source[24..HeaderSize].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        chunk = read;
        return DecodeStatus.Complete;
    }

    internal static DecodeStatus TryRead(ReadOnlySpan<byte> source, uint salt, out SnapshotChunk chunk)
    {
        DecodeStatus status = TryReadHeader(source, salt, out chunk);
        if (status != DecodeStatus.Complete)
            return status;
        if (source.Length < chunk.BytesOnDisk)
            return DecodeStatus.Incomplete;
        if (Crc32C.Compute(chunk.Payload(source)) != chunk.PayloadChecksum)
            return DecodeStatus.Invalid;
        if (source[(HeaderSize + chunk.PayloadLength)..chunk.BytesOnDisk].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        return DecodeStatus.Complete;
    }
}
