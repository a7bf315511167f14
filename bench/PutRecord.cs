using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>The records that the benchmarks move about.</summary>
internal static class PutRecord
{
    /// <returns>Sealed, without a position; the value is zeros.</returns>
    public static byte[] Of(string key, int valueBytes)
    {
        byte[] keyBytes = Encoding.ASCII.GetBytes(key);
        int payloadLength = PutCommand.PayloadLength(keyBytes.Length, valueBytes);
        byte[] record = new byte[Record.LengthOf(payloadLength)];
        PutCommand.WriteKey(record.AsSpan(Record.HeaderSize), keyBytes);
        Record.Finish(record, RecordType.Command, payloadLength);
        return record;
    }
}
