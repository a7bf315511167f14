using System.Buffers.Binary;
using System.Runtime.InteropServices;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed unsafe class IndexPageTests : IDisposable
{
    private readonly SlabMemory memory = new();
    private readonly SlotAllocator slots;
    private readonly IndexPage page;

    public IndexPageTests()
    {
        slots = new SlotAllocator(memory);
        page = new IndexPage((ulong*)NativeMemory.Alloc(IndexPage.Bytes));
        page.Clear(depth: 5);
    }

    public void Dispose()
    {
        NativeMemory.Free(page.Address);
        slots.Dispose();
        memory.Dispose();
    }

    /// <param name="homes">
    /// Number of home buckets; 1 is the worst case. The home buckets begin at <paramref name="firstHome"/>; the last
    /// bucket is followed by the first.
    /// </param>
    [Theory]
    [InlineData(1, 77)]
    [InlineData(1, 255)]
    [InlineData(3, 254)]
    [InlineData(40, 240)]
    [InlineData(256, 0)]
    public void Page_finds_its_entries_however_keys_collide(int homes, int firstHome)
    {
        Random random = new(homes);
        Dictionary<int, Slot> model = [];
        for (int step = 0; step < 20_000; step++)
        {
            int number = random.Next(300);
            ulong hash = (ulong)((firstHome + number % homes) % IndexPage.Words);
            ulong* bucket = page.Find(hash, Key(number));
            Assert.Equal(model.TryGetValue(number, out Slot expected), bucket is not null);
            if (bucket is not null)
            {
                Assert.Equal((nint)expected.Address, (nint)IndexPage.SlotIn(*bucket).Address);
                if (random.Next(3) == 0)
                {
                    page.Remove(bucket);
                    model.Remove(number);
                }
            }
            else if (page.Entries < IndexPage.EntriesMax)
            {
                Slot slot = slots.Allocate(sizeof(int), 0, hasTime: false);
                slot.SetKey(Key(number));
                page.Add(IndexPage.BucketOf(hash, slot));
                model.Add(number, slot);
            }
            Assert.Equal(model.Count, page.Entries);
            Assert.Equal(5, page.Depth);
        }
        Assert.True(model.Count > 150);
    }

    [Fact]
    public void Entry_beyond_the_maximum_of_a_page_is_a_bug()
    {
        Slot slot = slots.Allocate(1, 0, hasTime: false);
        for (ulong hash = 0; hash < IndexPage.EntriesMax; hash++)
            page.Add(IndexPage.BucketOf(hash, slot));
        Assert.Throws<InvariantException>(() => page.Add(IndexPage.BucketOf(0, slot)));
    }

    private static byte[] Key(int number)
    {
        byte[] key = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(key, number);
        return key;
    }
}
