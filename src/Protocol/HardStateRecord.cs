using System.Buffers.Binary;

namespace RaftFast.Protocol;

/// <summary>
/// A <see cref="HardState"/> as a record of type <see cref="RecordType.HardState"/>: its position is (term, 0), its payload
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
