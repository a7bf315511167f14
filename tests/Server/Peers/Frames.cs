using RaftFast.Protocol;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.Peers;

/// <summary>Frames for the tests, and their bytes.</summary>
internal static class Frames
{
    public static Message Heartbeat(long context, ulong to = 1) =>
        new() { Type = MessageType.Heartbeat, To = to, Term = 3, Commit = 7, Context = context };

    public static Message Append(int count, ulong to = 1) =>
        new() { Type = MessageType.Append, To = to, Term = 3, Position = new(2, 10), Commit = 7, Count = count };

    /// <summary>Records that follow the position of <see cref="Append"/>, one for each payload length.</summary>
    public static byte[] Records(params ReadOnlySpan<int> payloadLengths)
    {
        List<byte> records = [];
        long index = 10;
        foreach (int payloadLength in payloadLengths)
        {
            byte[] record = new byte[Record.LengthOf(payloadLength)];
            new Random(payloadLength).NextBytes(record.AsSpan(Record.HeaderSize));
            Record.Finish(record, RecordType.Command, payloadLength);
            Record.Stamp(record, new(3, ++index));
            records.AddRange(record);
        }
        return [.. records];
    }

    /// <summary>Two records that fill a frame: one of the greatest length, and one that takes the rest.</summary>
    public static byte[] LargestRecords()
    {
        int second = Frame.RecordsBytesMax - Record.LengthOf(Record.PayloadBytesMax) - Record.HeaderSize;
        return Records(Record.PayloadBytesMax, second & ~(Record.Alignment - 1));
    }

    public static byte[] Bytes(in Message message, params ReadOnlySpan<byte> records)
    {
        byte[] frame = new byte[Frame.HeaderSize + records.Length];
        Frame.WriteHeader(frame, message, records.Length);
        records.CopyTo(frame.AsSpan(Frame.HeaderSize));
        return frame;
    }
}
