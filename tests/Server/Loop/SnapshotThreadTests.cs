using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Loop;
using RaftFast.Server.Threads;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Loop;

public sealed class SnapshotThreadTests
{
    [Fact]
    public void Replaced_store_is_freed_by_the_thread_and_not_by_its_caller()
    {
        KeyValueStore store = new();
        using SnapshotThread thread = new(new Inbox(16), bytesPerSecond: 1, NullLogger.Instance);
        thread.Free(store);
        // The thread does not run yet.
        Assert.False(store.IsDisposed);
        thread.Start();
        Eventually.True(() => store.IsDisposed);
    }
}
