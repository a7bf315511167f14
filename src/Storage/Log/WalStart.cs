using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>Where the log stood when a segment began.</summary>
/// <param name="Last">The last entry before it.</param>
internal readonly record struct WalStart(long Segment, LogPosition Last);
