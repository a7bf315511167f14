using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed unsafe class SlotAllocatorTests : IDisposable
{
    private const int ValueBytes = 4000;

    private readonly SlabMemory memory = new();
    private readonly SlotAllocator slots;

    public SlotAllocatorTests() => slots = new SlotAllocator(memory);

    public void Dispose()
    {
        slots.Dispose();
        memory.Dispose();
    }

    [Fact]
    public void Slots_of_a_slab_do_not_overlap_and_stay_within_it()
    {
        const int LargestInSlab = SizeClasses.SlotBytesMax - Slot.HeaderSize - 1;
        foreach (int valueBytes in (ReadOnlySpan<int>)[0, 7, 64, 1000, LargestInSlab, SizeClasses.SlotBytesMax])
        {
            List<Slot> taken = [];
            for (int i = 0; i < 500; i++)
            {
                Slot slot = slots.Allocate(1, valueBytes, hasTime: false);
                slot.SetKey([(byte)i]);
                slot.SetValue(Filled(valueBytes, i));
                slot.Index = i + 1;
                taken.Add(slot);
            }
            for (int i = 0; i < taken.Count; i++)
            {
                Assert.Equal(i + 1, taken[i].Index);
                Assert.Equal([(byte)i], taken[i].Key);
                Assert.True(taken[i].Value.SequenceEqual(Filled(valueBytes, i)));
                Assert.True(taken[i].Address >= (byte*)Slab.Of(taken[i]) + Slab.HeaderSize);
            }
        }
    }

    [Fact]
    public void Slab_emptied_between_others_is_found_by_another_class()
    {
        List<Slot> taken = Fill(slabs: 3);
        int perSlab = taken.Count / 3;
        // One slot is freed in each of the three slabs, so that all have room. Then the second slab is emptied.
        foreach (int i in (ReadOnlySpan<int>)[0, perSlab, 2 * perSlab])
            slots.Free(taken[i]);
        for (int i = perSlab + 1; i < 2 * perSlab; i++)
            slots.Free(taken[i]);
        long before = memory.Bytes;
        Slot other = slots.Allocate(1, 100, hasTime: false);
        Assert.Equal(before, memory.Bytes);
        Assert.Equal((nint)Slab.Of(taken[perSlab]), (nint)Slab.Of(other));
    }

    [Fact]
    public void Slab_emptied_serves_its_own_class_first()
    {
        List<Slot> taken = Fill(slabs: 2);
        foreach (Slot slot in taken)
            slots.Free(slot);
        long before = memory.Bytes;
        Fill(slabs: 2);
        Assert.Equal(before, memory.Bytes);
    }

    [Fact]
    public void Free_slot_has_no_index()
    {
        Slot slot = slots.Allocate(1, 10, hasTime: false);
        Assert.Equal(0, slot.Index);
        slot.Index = 5;
        slots.Free(slot);
        Assert.Equal(0, slot.Index);
        Assert.Equal((nint)slot.Address, (nint)slots.Allocate(1, 11, hasTime: false).Address);
    }

    private static byte[] Filled(int length, int with)
    {
        byte[] filled = new byte[length];
        filled.AsSpan().Fill((byte)with);
        return filled;
    }

    private List<Slot> Fill(int slabs)
    {
        List<Slot> taken = [];
        int slotBytes = SizeClasses.BytesOf(SizeClasses.Of(Slot.HeaderSize + 1 + ValueBytes));
        int perSlab = (SlabMemory.SlabBytes - Slab.HeaderSize) / slotBytes;
        for (int i = 0; i < slabs * perSlab; i++)
            taken.Add(slots.Allocate(1, ValueBytes, hasTime: false));
        return taken;
    }
}
