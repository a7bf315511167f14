using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Protocol;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>Place of a record in a log file.</summary>
/// <param name="Offset">Bytes from the start of the file.</param>
internal sealed record WalRecordPlace(string File, int Offset, RecordHeader Header)
{
    public int End => Offset + Header.RecordLength;

    public int PayloadEnd => Offset + Record.HeaderSize + Header.PayloadLength;

    /// <summary>
    /// Returns all records in the log, by file and offset. Tries every aligned offset, and assumes nothing else about
    /// the layout of the file.
    /// </summary>
    public static List<WalRecordPlace> FindAll(DirectoryImage image)
    {
        List<WalRecordPlace> places = [];
        foreach (string name in image.Names.Where(name => name.StartsWith("wal-", StringComparison.Ordinal)))
        {
            // The image leaves out zeros at the end of the file, which may be the padding of the last record.
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
