using RaftFast.Server.Threads;

namespace RaftFast.Server.Api;

/// <summary>One watch: its place while it waits. <see cref="Watches"/> guards the properties with its lock.</summary>
internal sealed class Watch(WatchGroup group)
{
    public WatchGroup Group { get; } = group;

    public WakeSignal Signal { get; } = new();

    public bool IsParked { get; set; }

    /// <summary>Place in the history before which nothing under the prefix is untold.</summary>
    public long Position { get; set; }

    /// <summary>Entry up to which nothing under the prefix is untold.</summary>
    public long Index { get; set; }

    /// <summary>When the client last got something, by Environment.TickCount64.</summary>
    public long ToldAt { get; set; }
}
