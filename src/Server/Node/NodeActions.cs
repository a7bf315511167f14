using RaftFast.Server.Node.Snapshots;

namespace RaftFast.Server.Node;

/// <summary>What the node wants done on other threads than the loop's.</summary>
/// <param name="WakeWriter">The log's writer has something new.</param>
/// <param name="WakeSegments">The log has segments that are done with.</param>
/// <param name="RunSnapshot">This task is to be stepped until it is over, then to come back (<see cref="RaftNode.OnSnapshotTaken"/>).</param>
/// <param name="Stop">This member has learnt that it is one no more: it is to be taken down.</param>
internal sealed record NodeActions(Action WakeWriter, Action WakeSegments, Action<SnapshotTask> RunSnapshot, Action Stop);
