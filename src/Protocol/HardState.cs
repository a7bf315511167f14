using System.Buffers.Binary;

namespace RaftFast.Protocol;

/// <summary>
/// State besides the log that must survive a restart (Raft paper, figure 2). The state is the latest term that the node
/// has seen, and the candidate that got its vote in that term, or 0.
/// </summary>
public readonly record struct HardState(long Term, ulong Vote);

/// <summary>
/// Encoding of a <see cref="HardState"/>: a record of type <see cref="RecordType.HardState"/> at position (term, 0).
/// The record's payload, little-endian:
/// <code>
/// 0  u64  vote   0: none
/// </code>
/// </summary>
public static class HardStateRecord
{
    public const int PayloadSize = 8;

    public const int Size = Record.HeaderSize + PayloadSize;

    public static void Write(Span<byte> record, HardState state)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(record[Record.HeaderSize..], state.Vote);
        Record.Finish(record[..Size], RecordType.HardState, PayloadSize);
        Record.Stamp(record, new LogPosition(state.Term, 0));
    }

    /// <summary>Decodes a hard state. Returns false if the record holds something else.</summary>
    /// <param name="record">A verified record.</param>
    public static bool TryRead(ReadOnlySpan<byte> record, in RecordHeader header, out HardState state)
    {
        state = default;
        if (header.Type != RecordType.HardState || header.PayloadLength != PayloadSize || header.Position.Index != 0)
            return false;
        state = new(header.Position.Term, BinaryPrimitives.ReadUInt64LittleEndian(record[Record.HeaderSize..]));
        return true;
    }
}
