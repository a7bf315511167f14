using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalExtentsTests
{
    [Fact]
    public void Memory_depends_on_the_log_kept_not_on_the_bytes_written()
    {
        WalExtents extents = new();
        for (int index = 1; index <= 100_000; index++)
        {
            // One batch a segment.
            extents.Add(index, index, WalBatchHeader.Size, leading: true);
            extents.Place(index, 1, index, IDisk.Alignment, IDisk.Alignment);
            if (index % 100 == 0)
                extents.Forget(index - 50);
            Assert.InRange(extents.Count, 1, 150);
        }
        Assert.Equal(99_951, extents.Find(99_951).First);
        Assert.Equal(100_000, extents.Find(100_000).Segment);
    }
}
