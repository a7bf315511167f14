using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Protocol;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>Where a record stands in a log file.</summary>
/// <param name="Offset">Bytes from the file's start.</param>
internal sealed record WalRecordPlace(string File, int Offset, RecordHeader Header)
{
    public int End => Offset + Header.RecordLength;

    public int PayloadEnd => Offset + Record.HeaderSize + Header.PayloadLength;

    /// <summary>
    /// All records in the log, by file and offset: whatever verifies as one, so that nothing of the file's layout is assumed but
    /// the records' alignment.
    /// </summary>
    public static List<WalRecordPlace> FindAll(DirectoryImage image)
    {
        List<WalRecordPlace> places = [];
        foreach (string name in image.Names.Where(name => name.StartsWith("wal-", StringComparison.Ordinal)))
        {
            // The end of the last record may be padding, which the image leaves out with the other zeros.
            byte[] bytes = [.. image.BytesOf(name), .. new byte[Record.Alignment]];
            for (int offset = 0; offset < bytes.Length;)
            {
                if (Record.TryRead(bytes.AsSpan(offset), out RecordHeader header) == DecodeStatus.Complete)
                {
                    places.Add(new WalRecordPlace(name, offset, header));
                    offset += header.RecordLength;
                }
                else
                {
                    offset += Record.Alignment;
                }
            }
        }
        return places;
    }
}
