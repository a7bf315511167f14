namespace RaftFast.Consensus;

internal enum ProgressState
{
    /// <summary>Where the follower's log meets the leader's is not known: one append at a time, then wait for its answer.</summary>
    Probe,

    /// <summary>It is known: appends are pipelined, as far as the window allows.</summary>
    Replicate,

    /// <summary>What it needs next is compacted: a snapshot is on its way, on a connection of its own, and no appends are (§7).</summary>
    Snapshot,
}
