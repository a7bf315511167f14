namespace RaftFast.Protocol;

/// <summary>The decoded header of a record (layout: <see cref="Record"/>).</summary>
/// <param name="PayloadLength">Bytes of payload, without the padding.</param>
public readonly record struct RecordHeader(RecordType Type, LogPosition Position, int PayloadLength, uint PayloadChecksum)
{
    /// <summary>Bytes that the whole record occupies: header, payload, padding.</summary>
    public int RecordLength => Record.LengthOf(PayloadLength);
}
