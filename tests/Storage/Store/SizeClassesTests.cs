using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class SizeClassesTests
{
    [Fact]
    public void Every_size_gets_the_smallest_class_that_holds_it_and_wastes_little()
    {
        int largest = Slot.HeaderSize + PutCommand.KeyBytesMax + PutCommand.ValueBytesMax;
        for (int bytes = 1; bytes <= largest; bytes++)
        {
            int sizeClass = SizeClasses.Of(bytes);
            int given = SizeClasses.BytesOf(sizeClass);
            if (given < bytes || given % 8 != 0)
                Assert.Fail($"{bytes} bytes get {given}");
            if (sizeClass > 0 && SizeClasses.BytesOf(sizeClass - 1) >= bytes)
                Assert.Fail($"{bytes} bytes would fit {SizeClasses.BytesOf(sizeClass - 1)}");
            if (bytes > Slot.HeaderSize && given - bytes > Math.Max(7, bytes / 8))
                Assert.Fail($"{bytes} bytes waste {given - bytes}");
        }
    }

    [Fact]
    public void Classes_of_slabs_end_with_the_largest_slot()
    {
        Assert.Equal(SizeClasses.SlabClasses - 1, SizeClasses.Of(SizeClasses.SlotBytesMax));
        Assert.Equal(SizeClasses.SlotBytesMax, SizeClasses.BytesOf(SizeClasses.SlabClasses - 1));
        Assert.Equal(0, SizeClasses.Of(Slot.LargeSize));
        Assert.Equal(Slot.LargeSize, SizeClasses.BytesOf(0));
        Assert.Equal(7, (SlabMemory.SlabBytes - Slab.HeaderSize) / SizeClasses.SlotBytesMax);
    }
}
