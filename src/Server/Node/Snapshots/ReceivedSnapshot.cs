using RaftFast.Protocol;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>A snapshot from the leader, complete and durable under its temporary name, and loaded: the loop decides whether it is wanted.</summary>
internal sealed class ReceivedSnapshot(ulong from, long term, PartialSnapshot receiver, SnapshotConfiguration configuration, KeyValueStore store)
{
    private readonly TaskCompletionSource<bool> over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int claimed;

    public ulong From { get; } = from;

    /// <summary>In which the leader began to send it.</summary>
    public long Term { get; } = term;

    public PartialSnapshot Receiver { get; } = receiver;

    public SnapshotConfiguration Configuration { get; } = configuration;

    /// <summary>The loop's if it installs it; else the receiver of this object disposes of it.</summary>
    public KeyValueStore Store { get; } = store;

    /// <summary>
    /// The first to claim it decides: the loop whether to install it, or who received it to take it back, as its sender is gone.
    /// </summary>
    public bool TryClaim() => Interlocked.Exchange(ref claimed, 1) == 0;

    /// <summary>Whether it was installed. Complete once the loop has decided.</summary>
    public Task<bool> Over => over.Task;

    public void Complete(bool isInstalled) => over.TrySetResult(isInstalled);
}
