using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

using Record = RaftFast.Protocol.Record;

/// <summary>An entry of the log: the header of its record, and its configuration if it is one.</summary>
internal readonly record struct Entry(RecordHeader Header, ClusterConfiguration? Configuration = null)
{
    public LogPosition Position => Header.Position;

    public RecordType Type => Header.Type;

    public uint PayloadChecksum => Header.PayloadChecksum;

    public int RecordLength => Header.RecordLength;

    public static implicit operator Entry(RecordHeader header) => new(header);

    public static Entry Of(ClusterConfiguration configuration, LogPosition position)
    {
        byte[] record = ConfigurationRecord.Write(configuration);
        Record.Stamp(record, position);
        Assert.Equal(DecodeStatus.Complete, Record.TryRead(record, out RecordHeader header));
        return new Entry(header, configuration);
    }
}
