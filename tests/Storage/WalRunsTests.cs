using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests;

public sealed class WalRunsTests
{
    [Fact]
    public void Memory_follows_the_log_that_is_kept_not_all_that_was_written()
    {
        WalRuns runs = new();
        for (int index = 1; index <= 100_000; index++)
        {
            // Each in a segment of its own.
            runs.Add(index, index, WalBatchHeader.Size, leading: true);
            runs.Place(index, 1, index, IDisk.Alignment, IDisk.Alignment);
            if (index % 100 == 0)
                runs.Forget(index - 50);
            Assert.InRange(runs.Count, 1, 150);
        }
        Assert.Equal(99_951, runs.Find(99_951).First);
        Assert.Equal(100_000, runs.Find(100_000).Segment);
    }
}
