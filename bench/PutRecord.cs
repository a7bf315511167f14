using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>Makes the records that the benchmarks use.</summary>
internal static class PutRecord
{
    /// <summary>Makes a finished record without a position. The record's value consists of zeros.</summary>
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
