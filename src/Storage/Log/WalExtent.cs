namespace RaftFast.Storage.Log;

/// <summary>Log entries whose records, batch headers and hard states apart, stand one after another in a segment.</summary>
/// <param name="BatchOffset">Of the batch that holds the first record.</param>
/// <param name="RecordOffset">Of the first record.</param>
/// <param name="End">Where the next batch would stand, or <see cref="Closed"/>: truncated entries follow, and nothing may be added.</param>
internal readonly record struct WalExtent(long First, long Last, long Segment, int BatchOffset, int RecordOffset, int End)
{
    /// <summary>No offset of a batch: the segment's header is there.</summary>
    public const int Closed = 0;

    public bool IsFollowedBy(long segment, int offset) => Segment == segment && End == offset;
}
