using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>Compares pages of a list with a sorted dictionary that replays the log.</summary>
public sealed class KeyPageTests : IDisposable
{
    private readonly List<(string Key, byte[]? Value)> log = [];
    private readonly SortedDictionary<string, (long Tag, byte[] Value)> replayed = new(StringComparer.Ordinal);
    private readonly KeyPage page = new();
    private KeyValueStore store = new();
    private long replayedIndex;

    public void Dispose() => store.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Page_during_writes_equals_the_state_at_its_index(int seed)
    {
        Random random = new(seed);
        StoreView? view = null;
        int lists = 0;
        KeyRange? range = null;
        for (int step = 0; step < 20_000; step++)
        {
            switch (random.Next(200))
            {
                case < 120:
                    Put(Key(random), random);
                    break;
                case < 180:
                    Delete(Key(random));
                    break;
                case < 197:
                    range ??= NewRange(random);
                    page.Fill(store, range);
                    Check(range);
                    lists += page.HasMore ? 0 : 1;
                    range = page.HasMore ? range with { After = page.LastKey.ToArray() } : null;
                    break;
                case < 198 when view is null && store.CanBeginView:
                    view = store.BeginView();
                    break;
                case < 199 when view is not null:
                    view.Dispose();
                    view = null;
                    break;
                case 199 when view is null && store.CanBeginView && random.Next(10) == 0:
                    Install();
                    break;
            }
        }
        Assert.True(lists > 30);
        view?.Dispose();
    }

    [Fact]
    public void Page_ends_before_the_megabyte_and_has_one_key_at_least()
    {
        Random random = new(4);
        for (int i = 0; i < 40; i++)
            Put($"/{i:d2}", random, 100_000);
        Put("/large", random, PutCommand.ValueBytesMax);
        Put("/" + new string('x', PutCommand.KeyBytesMax - 1), random, PutCommand.ValueBytesMax);
        KeyRange range = new("/"u8.ToArray(), [], KeyPage.KeysMax, WithValues: true);
        List<int> counts = [];
        do
        {
            page.Fill(store, range);
            Check(range);
            counts.Add(page.Count);
            range = range with { After = page.LastKey.ToArray() };
        }
        while (page.HasMore);
        Assert.Equal([10, 10, 10, 10, 1, 1], counts);
    }

    [Fact]
    public void Outcomes_and_the_log_time_are_no_keys()
    {
        store.Put(StateKeys.Clock, [], 5);
        store.Put(StateKeys.OutcomeOf("token"u8, new byte[StateKeys.OutcomeBytesMax]), new byte[Outcome.Size], 5);
        Put("/k", new Random(1));
        page.Fill(store, new KeyRange([], [], KeyPage.KeysMax, WithValues: false));
        Assert.Equal(1, page.Count);
        Assert.Equal("/k"u8, page.LastKey);
    }

    private static string Key(Random random) => random.Next(3) switch
    {
        0 => $"/a/{random.Next(3_000):d4}",
        1 => $"/b/{random.Next(30)}/{random.Next(100)}",
        _ => $"/{(char)random.Next(0x80, 0x100)}{random.Next(10)}",
    };

    private static KeyRange NewRange(Random random) => new(
        OrderedSlots.Bytes(random.Next(4) switch
        {
            0 => "",
            1 => "/a/",
            2 => "/b/1",
            _ => "/\u0090",
        }),
        random.Next(3) == 0 ? OrderedSlots.Bytes(Key(random)) : [],
        random.Next(2) == 0 ? random.Next(1, 50) : KeyPage.KeysMax,
        random.Next(2) == 0);

    private void Put(string key, Random random, int length = -1)
    {
        byte[] value = new byte[length < 0 ? random.Next(500) : length];
        random.NextBytes(value);
        ModelledStore.Apply(store, ModelledStore.PutRecord(OrderedSlots.Bytes(key), value));
        log.Add((key, value));
    }

    private void Delete(string key)
    {
        ModelledStore.ApplyNoOp(store);
        store.Delete(OrderedSlots.Bytes(key));
        log.Add((key, null));
    }

    /// <summary>Puts a snapshot of the store in its place.</summary>
    private void Install()
    {
        KeyValueStore installed = new(store.Entries);
        using (StoreView view = store.BeginView())
        {
            byte[] chunk = new byte[StoreView.ChunkBytesMin];
            for (int length = view.Read(chunk, out _); length > 0; length = view.Read(chunk, out _))
                Assert.True(installed.TryLoad(chunk.AsSpan(0, length)));
            installed.LoadedTo(view.AppliedIndex);
        }
        store.Dispose();
        store = installed;
    }

    /// <summary>Compares the page with the state that a replay of the log to its index has.</summary>
    private void Check(KeyRange range)
    {
        for (; replayedIndex < page.Index; replayedIndex++)
        {
            (string key, byte[]? value) = log[(int)replayedIndex];
            if (value is null)
                replayed.Remove(key);
            else
                replayed[key] = (replayedIndex + 1, value);
        }
        string prefix = OrderedSlots.Name(range.Prefix);
        string after = OrderedSlots.Name(range.After);
        string[] expected = [.. replayed.Keys.Where(
            key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0)];
        Assert.Equal(page.Count < expected.Length, page.HasMore);
        Assert.True(page.Count <= range.Limit && page.Count >= Math.Min(1, expected.Length));
        ReadOnlySpan<byte> rest = page.Encoded;
        foreach (string key in expected.Take(page.Count))
        {
            Assert.True(page.TryRead(rest, out ListedKey listed, out int bytes));
            (long tag, byte[] value) = replayed[key];
            Assert.Equal(key, OrderedSlots.Name(listed.Key));
            Assert.Equal((tag, value.Length), (listed.Tag, listed.ValueLength));
            Assert.Equal(range.WithValues ? value : [], listed.Value);
            rest = rest[bytes..];
        }
        Assert.True(rest.IsEmpty);
        Assert.True(page.Count is <= 1 || page.Encoded.Length <= KeyPage.BytesMax);
    }
}
