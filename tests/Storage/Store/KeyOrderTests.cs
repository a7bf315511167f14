using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>Compares the order with a .NET sorted set.</summary>
public sealed class KeyOrderTests : IDisposable
{
    private readonly OrderedSlots ordered = new();
    private readonly SortedDictionary<string, nint> model = new(StringComparer.Ordinal);

    public void Dispose() => ordered.Dispose();

    [Theory]
    [InlineData(1, 20_000)]
    [InlineData(2, 20_000)]
    [InlineData(3, 500)]
    [InlineData(4, 3)]
    public void Order_agrees_with_a_sorted_dictionary_under_random_changes(int seed, int keys)
    {
        Random random = new(seed);
        for (int step = 0; step < 45_000; step++)
        {
            // Grows, shrinks to almost nothing, and grows again.
            bool isGrowing = step / 15_000 % 2 == 0;
            string name = Key(random.Next(keys));
            switch (random.Next(100))
            {
                case < 20:
                    Add(name);
                    break;
                case < 40:
                    Remove(name);
                    break;
                case < 90 when isGrowing:
                    Add(name);
                    break;
                case < 90 when model.Count > 0:
                    Remove(random.Next(4) == 0 ? model.Keys.First() : ordered.TakeFrom(name, 1).FirstOrDefault(name));
                    break;
                default:
                    Move(name);
                    break;
            }
            if (step % 3_000 == 0)
                Check(Key(random.Next(keys)));
        }
        foreach (string name in model.Keys.ToArray())
            Remove(name);
        Check("");
        Assert.Equal(0, ordered.Order.Bytes);
    }

    [Fact]
    public void Keys_in_ascending_order_fill_their_nodes()
    {
        for (int i = 0; i < 100_000; i++)
            Add($"/{i:d9}");
        Check("");
        // 8 bytes a key in full leaves, and little more for the nodes above.
        Assert.InRange(ordered.Order.Bytes / 100_000.0, 8, 8.3);
    }

    [Fact]
    public void Keys_in_random_order_take_at_most_fourteen_bytes()
    {
        Random random = new(5);
        for (int i = 0; i < 100_000; i++)
            Add($"/{random.NextInt64():x16}");
        Check("");
        Assert.InRange(ordered.Order.Bytes / 100_000.0, 8, 14);
    }

    [Fact]
    public void A_queue_that_moves_on_takes_no_more_memory()
    {
        for (int i = 0; i < 100_000; i++)
        {
            Add($"/{i:d9}");
            if (i >= 10_000)
                Remove($"/{i - 10_000:d9}");
        }
        Check("");
        Assert.InRange(ordered.Order.Bytes, 0, 200_000);
    }

    [Fact]
    public void Keys_that_begin_alike_and_keys_of_zeros_keep_their_order()
    {
        string prefix = new('p', 5_000);
        for (int i = 600; i > 0; i--)
        {
            Add(new string('\0', i));
            Add("a" + new string('\0', i));
            Add(prefix + new string('z', i));
            Add("\u00ff" + (char)(i % 256) + i);
        }
        Check("");
        Check("a");
        Check(prefix);
        Check("\u00ff\u0080");
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public void Loaded_in_runs_the_keys_are_in_order(int runKeys)
    {
        Random random = new(runKeys);
        HashSet<string> names = [.. Enumerable.Range(0, 300).Select(i => new string('\0', i + 1))];
        while (names.Count < 30_000)
            names.Add(Key(random.Next(int.MaxValue)));
        string[] shuffled = [.. names];
        random.Shuffle(shuffled);
        using OrderLoader loader = new(ordered.Order, runKeys);
        foreach (string name in shuffled)
        {
            Slot slot = ordered.NewSlot(OrderedSlots.Bytes(name));
            loader.Add(slot);
            model.Add(name, Address(slot));
        }
        loader.Complete();
        Check("");
    }

    /// <summary>Key of a number: some alike in their first ten bytes, some in all but the last, some short.</summary>
    private static string Key(int number) => (number % 7) switch
    {
        0 => $"/{number}",
        1 => $"/users/{number:d8}/name",
        2 => $"/users/{number % 100:d8}/{number}",
        3 => $"\u00e4{(char)(number % 256)}{number}",
        4 => new string('x', number % 50 + 1) + (char)(number % 256),
        5 => new string('y', number % 1000 + 1),
        _ => $"/{number * 2654435761L % 1_000_000_007:x}",
    };

    private static unsafe nint Address(Slot slot) => (nint)slot.Address;

    private static unsafe Slot SlotOf(nint address) => new((byte*)address);

    private void Add(string name)
    {
        if (model.ContainsKey(name))
            return;
        Slot slot = ordered.NewSlot(OrderedSlots.Bytes(name));
        ordered.Order.Add(slot);
        model.Add(name, Address(slot));
    }

    private void Remove(string name)
    {
        if (!model.Remove(name, out nint address))
            return;
        ordered.Order.Remove(SlotOf(address));
        ordered.Free(SlotOf(address));
    }

    private void Move(string name)
    {
        if (!model.TryGetValue(name, out nint address))
            return;
        Slot slot = ordered.NewSlot(OrderedSlots.Bytes(name));
        ordered.Order.Replace(SlotOf(address), slot);
        ordered.Free(SlotOf(address));
        model[name] = Address(slot);
    }

    private void Check(string from)
    {
        Assert.Equal(model.Count, ordered.Order.Count);
        Assert.Equal(model.Keys.Where(name => string.CompareOrdinal(name, from) >= 0), ordered.TakeFrom(from));
    }
}
