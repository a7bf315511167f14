using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalQueueTests
{
    [Fact]
    public void Batch_that_the_loop_has_begun_to_append_to_is_neither_taken_nor_sealed()
    {
        WalQueue queue = new(new WalPendingBatch { Number = 1, End = WalBatchHeader.Size });
        Assert.True(queue.IsIdle);
        queue.BeginAppending();
        // The batch has no record yet, but the loop may be adding one at this moment.
        Assert.False(queue.IsIdle);
        Assert.False(queue.TryTake(out _));
        Assert.Throws<InvariantException>(() => queue.TakeSeal());
        Assert.Equal(1, queue.Open.Number);
        queue.Publish();
        Assert.Equal(1, queue.TakeSeal().Number);
        Assert.Equal(2, queue.Open.Number);
    }
}
