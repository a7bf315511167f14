using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>An order of keys with its memory, and slots that a test makes.</summary>
internal sealed class OrderedSlots : IDisposable
{
    private readonly SlabMemory memory = new();
    private readonly SlotAllocator slots;

    public OrderedSlots()
    {
        slots = new SlotAllocator(memory);
        Order = new KeyOrder(new PageMemory(memory));
    }

    public KeyOrder Order { get; }

    public Slot NewSlot(ReadOnlySpan<byte> key)
    {
        Slot slot = slots.Allocate(key.Length, 0, hasTime: false);
        slot.SetKey(key);
        return slot;
    }

    public void Free(Slot slot)
    {
        // An order that still reads a freed slot finds another key there.
        slot.SetKey(new byte[slot.KeyLength]);
        slots.Free(slot);
    }

    public List<string> TakeFrom(string key, int count = int.MaxValue)
    {
        List<string> taken = [];
        Order.Seek(Bytes(key));
        while (taken.Count < count && Order.TryTake(out Slot slot))
            taken.Add(Name(slot.Key));
        return taken;
    }

    /// <summary>A char of a name is a byte of the key.</summary>
    public static byte[] Bytes(string name) => System.Text.Encoding.Latin1.GetBytes(name);

    public static string Name(ReadOnlySpan<byte> key) => System.Text.Encoding.Latin1.GetString(key);

    public void Dispose()
    {
        slots.Dispose();
        memory.Dispose();
    }
}
