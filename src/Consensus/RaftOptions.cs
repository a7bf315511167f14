using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>The core's bounds and times. Times are in ticks; what a tick is, the caller decides.</summary>
public sealed record RaftOptions
{
    /// <summary>Least ticks without a leader before a server campaigns; each draws from [ElectionTicks, 2 × ElectionTicks) (§5.2).</summary>
    public int ElectionTicks { get; init; } = 40;

    /// <summary>Ticks between a leader's heartbeats; well below ElectionTicks (§5.6: broadcast time ≪ election timeout).</summary>
    public int HeartbeatTicks { get; init; } = 5;

    /// <summary>Records in one append, in bytes; a larger single record goes alone. A frame takes more (Frame.RecordsBytesMax).</summary>
    public int AppendBytesMax { get; init; } = 512 * 1024;

    /// <summary>Appends sent to one follower and not yet acknowledged.</summary>
    public int InflightAppendsMax { get; init; } = 256;

    /// <summary>
    /// Appends sent to one follower since the last tick and not yet acknowledged: what is proposed meanwhile shares the next one, as it
    /// shares the leader's next write. As many entries go in fewer frames and writes; a distant follower still gets one each tick.
    /// </summary>
    public int FreshAppendsMax { get; init; } = 1;

    /// <summary>Bytes of records sent to one follower and not yet acknowledged; one append is always admitted.</summary>
    public int InflightBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes of records that the leader has proposed and that are not committed; one is always admitted when there are none.</summary>
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
