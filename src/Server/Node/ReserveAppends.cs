using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// Selects the entries that a follower without room takes from the log's reserve. Without these entries, a change of
/// leader would end reads and membership changes: neither is possible before an entry of the leader's term is committed
/// (§8, thesis §4.1).
/// </summary>
internal static class ReserveAppends
{
    /// <summary>
    /// Counts the leading entries up to the last one that the cluster needs: the no-op that opens the leader's term, or
    /// a configuration. Entries of earlier terms come before the no-op, and a log has no gaps.
    /// </summary>
    /// <param name="term">Term of the leader.</param>
    /// <param name="bytes">Bytes of these records.</param>
    public static int Count(ReadOnlySpan<RecordHeader> entries, long term, out int bytes)
    {
        int count = 0;
        int end = 0;
        bytes = 0;
        for (int i = 0; i < entries.Length; i++)
        {
            end += entries[i].RecordLength;
            bool opensTerm = entries[i].Type == RecordType.NoOp && entries[i].Position.Term == term;
            if (entries[i].Position.Term == term && !opensTerm && entries[i].Type != RecordType.Configuration)
                continue;
            count = i + 1;
            bytes = end;
        }
        return count;
    }
}
