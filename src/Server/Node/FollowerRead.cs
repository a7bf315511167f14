using RaftFast.Storage.Log;

namespace RaftFast.Server.Node;

/// <summary>
/// One read of entries that a follower needs. Another thread calls <see cref="Step"/> until it returns false, then
/// hands the read back (<see cref="RaftNode.OnEntriesRead"/>).
/// </summary>
internal sealed class FollowerRead(WalRead entries)
{
    public WalRead Entries { get; } = entries;

    public FollowerReadState State { get; set; }

    public ulong Follower { get; private set; }

    /// <summary>Term in which this member led when the read began.</summary>
    public long Term { get; private set; }

    public void Begin(ulong follower, long term)
    {
        Follower = follower;
        Term = term;
        State = FollowerReadState.Out;
    }

    /// <inheritdoc cref="WalRead.Step"/>
    public bool Step() => Entries.Step();
}

internal enum FollowerReadState
{
    Free,

    /// <summary>Another thread has the read.</summary>
    Out,

    /// <summary>The entries are there, and wait for the follower's next append.</summary>
    Done,
}
