using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>Bounds and times of the core. Times are in ticks; the caller decides how long a tick is.</summary>
public sealed record RaftOptions
{
    /// <summary>
    /// Minimum ticks without a leader before a server campaigns. Each server draws its timeout from
    /// [ElectionTicks, 2 × ElectionTicks) (§5.2).
    /// </summary>
    public int ElectionTicks { get; init; } = 40;

    /// <summary>
    /// Ticks between a leader's heartbeats, well below ElectionTicks (§5.6: broadcast time ≪ election timeout).
    /// </summary>
    public int HeartbeatTicks { get; init; } = 5;

    /// <summary>
    /// Ticks after which a log write or read that is out counts as hung: five election timeouts, 2 s. Healthy disks
    /// stall for a second or so, when a cache is flushed or a sector is read again. A hand-over takes less than an
    /// election. So a write that waits for this time and for the hand-over is answered within the clients' default time
    /// of 5 s.
    /// </summary>
    public int OverdueWriteTicks => 5 * ElectionTicks;

    /// <summary>
    /// Ticks between two hand-overs by a leader whose disk is full: 150 election timeouts, a minute. Room that comes
    /// and goes must not cost an election each time.
    /// </summary>
    public int FullHandOverTicks => 150 * ElectionTicks;

    /// <summary>
    /// Maximum bytes of records in one append. A larger record goes alone; a frame has room for it
    /// (Frame.RecordsBytesMax).
    /// </summary>
    public int AppendBytesMax { get; init; } = 512 * 1024;

    /// <summary>Maximum appends sent to one follower and not yet acknowledged.</summary>
    public int InflightAppendsMax { get; init; } = 256;

    /// <summary>
    /// Maximum appends that end with the log's last entry, sent to one follower since the last tick and not yet
    /// acknowledged. Entries proposed meanwhile share the next append, as they share the leader's next write. The same
    /// entries then need fewer frames and writes. An append that leaves entries to be sent holds nothing up,
    /// and neither does an append to a follower whose acknowledgements take two ticks or more.
    /// </summary>
    public int FreshAppendsMax { get; init; } = 1;

    /// <summary>
    /// Maximum bytes of records sent to one follower and not yet acknowledged. One append is always admitted.
    /// </summary>
    public int InflightBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Maximum bytes of records that the leader has proposed and that are not committed. While no such record exists, a
    /// record of any size is admitted.
    /// </summary>
    public long UncommittedBytesMax { get; init; } = 64 * 1024 * 1024;

    public void Validate()
    {
        Invariant.Hold(HeartbeatTicks > 0);
        Invariant.Hold(ElectionTicks > HeartbeatTicks);
        Invariant.Hold(AppendBytesMax is > 0 and <= Frame.RecordsBytesMax);
        Invariant.Hold(InflightAppendsMax > 0);
        Invariant.Hold(FreshAppendsMax > 0);
        Invariant.Hold(InflightBytesMax > 0);
        Invariant.Hold(UncommittedBytesMax > 0);
    }
}
