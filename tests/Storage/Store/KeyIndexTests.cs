using System.Buffers.Binary;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed unsafe class KeyIndexTests : IDisposable
{
    private readonly SlabMemory memory = new();
    private readonly SlotAllocator slots;
    private readonly KeyIndex index;

    public KeyIndexTests()
    {
        slots = new SlotAllocator(memory);
        index = new KeyIndex(new PageMemory(memory), new SipHash(1, 2));
    }

    public void Dispose()
    {
        index.Dispose();
        slots.Dispose();
        memory.Dispose();
    }

    [Fact]
    public void Pages_split_on_their_own_however_deep_the_directory_is()
    {
        // Only keys whose hashes end alike: few pages become deep, and the rest of the directory refers to shallow
        // pages.
        Dictionary<int, nint> model = [];
        for (int number = 0; model.Count < 1_000; number++)
        {
            if ((index.HashOf(Key(number)) >> 32 & 0xff) == 0xa5)
                Add(model, number);
        }
        Assert.True(index.DirectoryBytes >= 256 * 8);
        // Then any keys: the shallow pages split too, each on its own.
        for (int number = 1_000_000; model.Count < 30_000; number++)
        {
            Add(model, number);
            if (model.Count % 1_000 == 0)
                Check(model);
        }
        foreach (int number in model.Keys)
            index.Remove(index.HashOf(Key(number)), Key(number));
        foreach (int number in model.Keys)
            Assert.True(index.Find(index.HashOf(Key(number)), Key(number)).IsNone);
    }

    [Fact]
    public void Moved_entry_is_found_in_its_new_slot()
    {
        Dictionary<int, nint> model = [];
        for (int number = 0; number < 3_000; number++)
            Add(model, number);
        for (int number = 0; number < 3_000; number += 2)
        {
            Slot slot = NewSlot(number);
            index.Replace(index.HashOf(Key(number)), Key(number), slot);
            model[number] = (nint)slot.Address;
        }
        Check(model);
    }

    private static byte[] Key(int number)
    {
        byte[] key = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(key, number);
        return key;
    }

    private Slot NewSlot(int number)
    {
        Slot slot = slots.Allocate(sizeof(int), 0, hasTime: false);
        slot.SetKey(Key(number));
        return slot;
    }

    private void Add(Dictionary<int, nint> model, int number)
    {
        Slot slot = NewSlot(number);
        index.Add(index.HashOf(Key(number)), slot);
        model.Add(number, (nint)slot.Address);
    }

    private void Check(Dictionary<int, nint> model)
    {
        foreach ((int number, nint address) in model)
            Assert.Equal(address, (nint)index.Find(index.HashOf(Key(number)), Key(number)).Address);
    }
}
