using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Tests.Disk;

/// <summary>Rings for tests.</summary>
internal static class Rings
{
    /// <summary>Opens a ring that the calling thread owns. Skips the test on a system that refuses io_uring.</summary>
    public static DiskRing Open(IDisk disk)
    {
        DiskRing? ring = DiskRing.TryOpen(disk, out string refusal);
        Assert.SkipWhen(ring is null, $"needs io_uring: {refusal}");
        ring.Own();
        return ring;
    }
}
