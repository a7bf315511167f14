using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed unsafe class SlabMemoryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // arenas have the largest size and are touched ahead
    public void Slabs_are_aligned_and_disjoint_and_keep_their_contents(bool isBulkLoading)
    {
        using SlabMemory memory = new() { IsBulkLoading = isBulkLoading };
        HashSet<nint> slabs = [];
        for (int i = 0; i < 900; i++)
        {
            byte* slab = memory.TakeSlab();
            Assert.Equal(0, (nint)slab % SlabMemory.SlabBytes);
            Assert.True(slabs.Add((nint)slab));
            new Span<byte>(slab, sizeof(long)).Fill((byte)i);
            new Span<byte>(slab + SlabMemory.SlabBytes - sizeof(long), sizeof(long)).Fill((byte)i);
            if (i == 800)
                memory.IsBulkLoading = false; // the arena touched ahead is used nevertheless
        }
        Assert.Equal(900L * SlabMemory.SlabBytes, memory.Bytes);
        int number = 0;
        foreach (nint slab in slabs)
        {
            Assert.Equal((byte)number, *(byte*)slab);
            Assert.Equal((byte)number++, *((byte*)slab + SlabMemory.SlabBytes - 1));
        }
    }
}
