using System.Buffers.Binary;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Outcome of a request with an idempotency key: a value under <see cref="StateKeys"/>, little-endian:
/// <code>
///  0  u128  fingerprint  of the request
/// 16  i64   tag          as CommandResult has it
/// 24  u8    status       CommandStatus
/// 25  u8    part         as CommandResult has it
/// 26        zeros
/// </code>
/// </summary>
internal readonly record struct Outcome(UInt128 Fingerprint, CommandResult Result)
{
    public const int Size = 32;

    /// <summary>Maximum outcomes that one entry forgets: a bound on the time that the entry takes.</summary>
    public const int ForgottenAtOnce = 1024;

    /// <summary>
    /// Memory of one outcome with its places in index and heap, whatever the length of its idempotency key: all members
    /// count the same.
    /// </summary>
    public const int MemoryBytes = 192;

    public void Write(Span<byte> destination)
    {
        destination[..Size].Clear();
        BinaryPrimitives.WriteUInt128LittleEndian(destination, Fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], Result.Tag);
        destination[24] = (byte)Result.Status;
        destination[25] = (byte)Result.Part;
    }

    public static Outcome Read(ReadOnlySpan<byte> source)
    {
        Invariant.Hold(source.Length == Size);
        CommandResult result = new(
            (CommandStatus)source[24], BinaryPrimitives.ReadInt64LittleEndian(source[16..]), source[25]);
        return new(BinaryPrimitives.ReadUInt128LittleEndian(source), result);
    }
}
