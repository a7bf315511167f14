using RaftFast.Server.Threads;

namespace RaftFast.Server.Api;

/// <summary>
/// One watch, with its place in the history while it waits. <see cref="Watches"/> guards the properties with its lock.
/// </summary>
internal sealed class Watch(WatchGroup group)
{
    public WatchGroup Group { get; } = group;

    public WakeSignal Signal { get; } = new();

    public bool IsParked { get; set; }

    /// <summary>Place in the history: all changes under the prefix before this place are told.</summary>
    public long Position { get; set; }

    /// <summary>Entry up to which all changes under the prefix are told.</summary>
    public long Index { get; set; }

    /// <summary>Time at which the client last got something, by Environment.TickCount64.</summary>
    public long ToldAt { get; set; }
}
