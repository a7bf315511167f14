using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// Header of a snapshot's file, in whole blocks of 4096 bytes. Little-endian:
/// <code>
///  0  u32  checksum              CRC-32C of bytes 4 up to the configuration's end
///  4  u32  magic                 "RFsn"
///  8  u32  format version        1, or the version that the state needs (KeyValueStore.Version)
/// 12  u32  configuration length  bytes, up to ConfigurationBytesMax
/// 16  u64  cluster id
/// 24  u64  nonce                 no other snapshot of the cluster has it
/// 32  i64  term                  of the last entry that the snapshot covers
/// 40  i64  index
/// 48  u8   1: a backup, which no member uses as its snapshot
/// 49       zeros
/// 64       configuration, then zeros up to a multiple of 4096
/// </code>
/// Magic, version, configuration length and checksum have the same places in every version. The checksum is the salt of
/// the checksums of chunks and footer. Two members' snapshots of the same entry differ, at least in the order of keys;
/// the nonce gives them different salts, so that a chunk of one is not valid in the other's file.
/// </summary>
internal readonly record struct SnapshotHeader(
    ulong ClusterId, ulong Nonce, LogPosition Position, bool IsBackup, int ConfigurationLength, uint Salt)
{
    public const int Size = 64;

    /// <summary>Greatest version that this program reads. A snapshot has the lowest version that knows its
    /// state.</summary>
    public const uint VersionMax = KeyCommand.Version;

    /// <summary>Maximum length of the configuration, which takes a few hundred bytes a member.</summary>
    public const int ConfigurationBytesMax = 1 << 20;

    private const uint Magic = 0x6E734652;

    public int BytesOnDisk => AlignedMemory.RoundUp(Size + ConfigurationLength);

    public ReadOnlySpan<byte> Configuration(ReadOnlySpan<byte> image) => image.Slice(Size, ConfigurationLength);

    /// <returns>The header, as <see cref="TryRead"/> reads it.</returns>
    public static SnapshotHeader Write(
        Span<byte> destination, ulong clusterId, ulong nonce, LogPosition position, bool isBackup,
        ReadOnlySpan<byte> configuration, int version)
    {
        Invariant.Hold(configuration.Length <= ConfigurationBytesMax);
        SnapshotHeader header = new(clusterId, nonce, position, isBackup, configuration.Length, 0);
        Span<byte> image = destination[..header.BytesOnDisk];
        image.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(image[4..], Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(image[8..], (uint)version);
        BinaryPrimitives.WriteInt32LittleEndian(image[12..], configuration.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(image[16..], clusterId);
        BinaryPrimitives.WriteUInt64LittleEndian(image[24..], nonce);
        BinaryPrimitives.WriteInt64LittleEndian(image[32..], position.Term);
        BinaryPrimitives.WriteInt64LittleEndian(image[40..], position.Index);
        image[48] = isBackup ? (byte)1 : (byte)0;
        configuration.CopyTo(image[Size..]);
        uint checksum = Crc32C.Compute(image[4..(Size + configuration.Length)]);
        BinaryPrimitives.WriteUInt32LittleEndian(image, checksum);
        return header with { Salt = checksum };
    }

    /// <param name="version">Format version of an intact header, even if this program doesn't know the version; else
    /// 0.</param>
    public static DecodeStatus TryRead(ReadOnlySpan<byte> source, out SnapshotHeader header, out uint version)
    {
        header = default;
        version = 0;
        if (source.Length < Size)
            return DecodeStatus.Incomplete;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != Magic)
            return DecodeStatus.Invalid;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        if (length > ConfigurationBytesMax)
            return DecodeStatus.Invalid;
        SnapshotHeader read = new(
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
            new LogPosition(
                BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
                BinaryPrimitives.ReadInt64LittleEndian(source[40..])),
            source[48] == 1,
            (int)length,
            BinaryPrimitives.ReadUInt32LittleEndian(source));
        if (source.Length < read.BytesOnDisk)
            return DecodeStatus.Incomplete;
        int end = Size + read.ConfigurationLength;
        if (read.Salt != Crc32C.Compute(source[4..end]) || source[end..read.BytesOnDisk].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version is 0 or > VersionMax || source[48] > 1 || source[49..Size].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        if (read.Position.Term is <= 0 or > LogPosition.Greatest)
            return DecodeStatus.Invalid;
        if (read.Position.Index is <= 0 or > LogPosition.Greatest)
            return DecodeStatus.Invalid;
        header = read;
        return DecodeStatus.Complete;
    }
}
