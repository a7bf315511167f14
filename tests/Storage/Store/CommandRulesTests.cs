using System.Buffers.Binary;
using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class CommandRulesTests : IDisposable
{
    private readonly KeyValueStore store = new();

    public void Dispose() => store.Dispose();

    [Fact]
    public void Put_that_needs_an_absent_key_is_done_once()
    {
        Assert.Equal((CommandStatus.Done, 1), Put("/k", "a", noneMatchAny: true));
        Assert.Equal((CommandStatus.ConditionFailed, 1), Put("/k", "b", noneMatchAny: true));
        Assert.Equal("a", Value("/k"));
    }

    [Fact]
    public void Put_that_needs_a_tag_is_done_if_the_key_has_the_tag()
    {
        Put("/k", "a");
        Assert.Equal((CommandStatus.Done, 2), Put("/k", "b", match: 1));
        Assert.Equal((CommandStatus.ConditionFailed, 2), Put("/k", "c", match: 1));
        Assert.Equal((CommandStatus.ConditionFailed, 0), Put("/absent", "c", match: 1));
        Assert.Equal("b", Value("/k"));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void Deletion_needs_the_tag_too()
    {
        Put("/k", "a");
        Assert.Equal((CommandStatus.ConditionFailed, 1), Delete("/k", match: 5));
        Assert.Equal((CommandStatus.Done, 0), Delete("/k", match: 1));
        Assert.Equal((CommandStatus.ConditionFailed, 0), Delete("/k", match: 1));
        Assert.Equal(0, store.Count);
        // A tag never comes again.
        Assert.Equal((CommandStatus.Done, 5), Put("/k", "a"));
    }

    [Fact]
    public void Retry_gets_the_first_outcome_and_changes_nothing()
    {
        Assert.Equal((CommandStatus.Done, 1), Put("/k", "a", token: "t"));
        Put("/k", "other");
        Assert.Equal((CommandStatus.Done, 1), Put("/k", "a", token: "t"));
        Assert.Equal("other", Value("/k"));
        Assert.Equal((CommandStatus.KeyReused, 0), Put("/k", "b", token: "t"));
        Assert.Equal((CommandStatus.ConditionFailed, 2), Put("/k", "c", match: 1, token: "u"));
        Delete("/k", match: 2);
        Assert.Equal((CommandStatus.ConditionFailed, 2), Put("/k", "c", match: 1, token: "u"));
        Assert.Equal(0, store.Count);
        Assert.Equal(2 * Outcome.MemoryBytes, store.OutcomeBytes);
    }

    [Fact]
    public void Outcome_is_forgotten_only_if_it_is_older_than_asked()
    {
        Put("/k", "a", token: "t", time: 1000);
        Put("/k", "a", token: "u", time: 2000);
        Assert.Equal(1000, store.OldestOutcome);
        Forget(before: 1000);
        Assert.True(store.HasOutcome("t"u8));
        Forget(before: 1001);
        Assert.False(store.HasOutcome("t"u8));
        Assert.True(store.HasOutcome("u"u8));
        Assert.Equal((CommandStatus.Done, 5), Put("/k", "new", token: "t", time: 2000));
    }

    [Fact]
    public void One_entry_forgets_a_bounded_number_of_outcomes_the_oldest_first()
    {
        for (int i = 0; i < Outcome.ForgottenAtOnce + 10; i++)
            Put("/k", "a", token: $"t{i}", time: 1000);
        Forget(before: 2000);
        Assert.Equal(10 * Outcome.MemoryBytes, store.OutcomeBytes);
        Assert.False(store.HasOutcome(Encoding.ASCII.GetBytes($"t{Outcome.ForgottenAtOnce - 1}")));
        Assert.True(store.HasOutcome(Encoding.ASCII.GetBytes($"t{Outcome.ForgottenAtOnce}")));
    }

    [Fact]
    public void Key_expires_when_its_time_has_passed_and_no_sooner()
    {
        Put("/k", "a", timeToLive: 500, time: 1000);
        Assert.Equal(1500, store.NextExpiry);
        Expire("/k", tag: 1, time: 1499);
        Assert.Equal("a", Value("/k"));
        Expire("/k", tag: 1, time: 1500);
        Assert.Equal(0, store.TagOf("/k"u8));
        Assert.Equal(long.MaxValue, store.NextExpiry);
    }

    [Fact]
    public void Renewal_that_is_applied_before_an_expiry_under_way_wins()
    {
        Put("/k", "a", timeToLive: 500, time: 1000);
        Put("/k", "a", match: 1, timeToLive: 500, time: 1600);
        Expire("/k", tag: 1, time: 1600);
        Assert.Equal(2, store.TagOf("/k"u8));
        Assert.Equal(2100, store.NextExpiry);
    }

    [Fact]
    public void Put_without_a_time_to_live_ends_it()
    {
        Put("/k", "a", timeToLive: 500, time: 1000);
        Put("/k", "a");
        Assert.Equal(long.MaxValue, store.NextExpiry);
        Expire("/k", tag: 2, time: 9000);
        Assert.Equal("a", Value("/k"));
    }

    [Fact]
    public void Log_time_never_goes_back()
    {
        Put("/a", "a", timeToLive: 500, time: 1000);
        Put("/b", "b", timeToLive: 500, time: 700);
        Assert.Equal(1000, store.LogTime);
        Delete("/a", match: 1);
        Assert.Equal(1500, store.NextExpiry);
    }

    [Fact]
    public void Snapshot_carries_times_outcomes_and_the_log_time()
    {
        Put("/plain", "p");
        Assert.Equal(1, store.Version);
        Put("/k", "a", timeToLive: 500, token: "t", time: 1000);
        Put("/later", "l", timeToLive: 900, time: 1200);
        Assert.Equal(2, store.Version);
        using KeyValueStore loaded = Reload(out int version);
        Assert.Equal(2, version);
        Assert.Equal(store.Count, loaded.Count);
        Assert.Equal((1200, 1500, 1000), (loaded.LogTime, loaded.NextExpiry, loaded.OldestOutcome));
        Assert.Equal(2, loaded.Version);
        Assert.True(loaded.HasOutcome("t"u8));
        Assert.Equal(2, loaded.TagOf("/k"u8));
        Assert.Equal(Outcome.MemoryBytes, loaded.OutcomeBytes);
    }

    [Fact]
    public void State_of_plain_puts_keeps_the_first_version()
    {
        Put("/plain", "p");
        using KeyValueStore loaded = Reload(out int version);
        Assert.Equal((1, 1), (version, loaded.Version));
    }

    [Fact]
    public void Entries_with_times_change_while_a_view_shows_them()
    {
        for (int i = 0; i < 100; i++)
            Put($"/{i}", "before", timeToLive: 1000 + i, token: $"t{i}", time: 1000);
        using (StoreView view = store.BeginView())
        {
            for (int i = 0; i < 100; i += 2)
                Put($"/{i}", "after", timeToLive: 9000, time: 1001);
            for (int i = 1; i < 100; i += 4)
                Delete($"/{i}", match: i + 1);
            Forget(before: 1001);
            using KeyValueStore loaded = Load(view);
            Assert.Equal(100, loaded.Count);
            Assert.Equal(100 * Outcome.MemoryBytes, loaded.OutcomeBytes);
            Assert.Equal(2000, loaded.NextExpiry);
        }
        Assert.Equal(75, store.Count);
        Assert.Equal(0, store.OutcomeBytes);
        Assert.Equal(2003, store.NextExpiry);
    }

    /// <summary>Compares the store with a model, in which each key has a value, a tag and perhaps a time.</summary>
    [Fact]
    public void Random_commands_give_the_state_of_a_simple_model()
    {
        Random random = new(7);
        SortedDictionary<string, (string Value, long Tag, long? Deadline)> model = [];
        long time = 0;
        for (int step = 0; step < 20_000; step++)
        {
            string key = $"/{random.Next(40)}";
            long tag = model.TryGetValue(key, out (string Value, long Tag, long? Deadline) entry) ? entry.Tag : 0;
            time += random.Next(20);
            long match = random.Next(3) switch { 0 => tag, 1 => tag + 1, _ => 0 };
            switch (random.Next(5))
            {
                case 0:
                    Expire(key, tag == 0 ? 1 : tag, time);
                    if (entry.Deadline <= time)
                        model.Remove(key);
                    break;
                case 1 when match > 0:
                    (CommandStatus deleted, _) = Delete(key, match);
                    Assert.Equal(match == tag ? CommandStatus.Done : CommandStatus.ConditionFailed, deleted);
                    if (match == tag)
                        model.Remove(key);
                    break;
                default:
                    long timeToLive = random.Next(2) * random.Next(1, 2000);
                    string value = new('v', random.Next(random.Next(40) == 0 ? 50_000 : 100));
                    (CommandStatus put, long written) =
                        Put(key, value, match: match, timeToLive: timeToLive, time: time);
                    bool holds = match == 0 || match == tag;
                    Assert.Equal(holds ? CommandStatus.Done : CommandStatus.ConditionFailed, put);
                    if (holds)
                        model[key] = (value, written, timeToLive == 0 ? null : store.LogTime + timeToLive);
                    break;
            }
        }
        Assert.Equal(model.Count, store.Count);
        Assert.Equal(model.Values.Min(entry => entry.Deadline ?? long.MaxValue), store.NextExpiry);
        foreach ((string key, (string Value, long Tag, long? Deadline) entry) in model)
        {
            byte[] name = Encoding.ASCII.GetBytes(key);
            Assert.Equal((entry.Value, entry.Tag, entry.Deadline), (Value(key), store.TagOf(name), store.TimeOf(name)));
        }
    }

    [Fact]
    public void Expiries_are_found_for_keys_whose_time_has_passed()
    {
        for (int i = 0; i < 1000; i++)
            Put($"/{i}", "a", timeToLive: 1 + (i * 7 % 1000), time: 1);
        List<string> keys = [];
        store.VisitExpired(101, (key, tag) =>
        {
            Assert.Equal(store.TagOf(key), tag);
            keys.Add(Encoding.ASCII.GetString(key));
            return true;
        });
        Assert.Equal(100, keys.Distinct().Count());
        Assert.All(keys, key => Assert.True(store.TimeOf(Encoding.ASCII.GetBytes(key)) <= 101));
    }

    [Fact]
    public void History_has_what_commands_changed_and_nothing_else()
    {
        ChangeHistory history = new(ChangeHistory.BytesMin);
        store.History = history;
        Put("/k", "a", timeToLive: 500, time: 1000);
        Put("/k", "refused", noneMatchAny: true);
        Put("/once", "b", token: "t", time: 1000);
        Put("/once", "b", token: "t", time: 1000);
        Delete("/absent", match: 0);
        Delete("/once", match: 3);
        Expire("/k", tag: 1, time: 1499);
        Expire("/k", tag: 1, time: 1500);
        Forget(before: 2000);
        ModelledStore.Apply(store, ModelledStore.PutRecord("/plain"u8, "c"u8));
        store.BeginView().Dispose();
        history.Publish(store.AppliedIndex);
        Assert.Equal(
            ["1 Put /k a", "3 Put /once b", "6 Delete /once ", "8 Expire /k ", "10 Put /plain c"],
            HistoryReader.All(history));
    }

    [Fact]
    public void Steady_state_allocates_nothing()
    {
        long tag = Put("/k", "a", timeToLive: 1000, time: 1).Tag;
        byte[][] records =
        [
            Encode(CommandOperation.Put, "/k", "b", tag, false, 1000, "", 2),
            Encode(CommandOperation.Put, "/k", "b", 0, true, 0, "", 2),
            Encode(CommandOperation.Put, "/k", "c", 0, false, 1000, "t", 2),
            Encode(CommandOperation.Delete, "/k", "", tag, false, 0, "", 2),
            Encode(CommandOperation.Put, "/k", "d", 0, false, 5, "", 2),
            Encode(CommandOperation.Expire, "/k", "", 0, false, tag, "", 9),
            Encode(CommandOperation.Forget, "", "", 0, false, 1, "", 9),
        ];
        Run(1000);
        Assert.Equal(0, Allocations.Of(() => Run(1000)));

        void Run(int times)
        {
            for (int i = 0; i < times * records.Length; i++)
                ModelledStore.Apply(store, records[i % records.Length]);
        }
    }

    private KeyValueStore Reload(out int version)
    {
        using StoreView view = store.BeginView();
        version = view.Version;
        return Load(view);
    }

    internal static KeyValueStore Load(StoreView view)
    {
        KeyValueStore loaded = new();
        byte[] chunk = new byte[StoreView.ChunkBytesMin];
        int length;
        while ((length = view.Read(chunk, out _)) > 0)
            Assert.True(loaded.TryLoad(chunk.AsSpan(0, length)));
        loaded.LoadedTo(view.AppliedIndex);
        return loaded;
    }

    private string Value(string key) =>
        store.TryGet(Encoding.ASCII.GetBytes(key), out ReadOnlySpan<byte> value, out _)
            ? Encoding.ASCII.GetString(value) : "absent";

    private (CommandStatus Status, long Tag) Put(
        string key, string value, long match = 0, bool noneMatchAny = false, long timeToLive = 0, string token = "",
        long time = 0) =>
        Apply(CommandOperation.Put, key, value, match, noneMatchAny, timeToLive, token, time);

    private (CommandStatus Status, long Tag) Delete(string key, long match) =>
        Apply(CommandOperation.Delete, key, "", match, false, 0, "", 0);

    private void Expire(string key, long tag, long time) =>
        Apply(CommandOperation.Expire, key, "", 0, false, tag, "", time);

    private void Forget(long before) => Apply(CommandOperation.Forget, "", "", 0, false, before, "", 0);

    private (CommandStatus Status, long Tag) Apply(
        CommandOperation operation, string key, string value, long match, bool noneMatchAny, long argument,
        string token, long time)
    {
        if (operation == CommandOperation.Put && match + argument == 0 && !noneMatchAny && token.Length == 0)
        {
            byte[] plain = ModelledStore.PutRecord(Encoding.ASCII.GetBytes(key), Encoding.ASCII.GetBytes(value));
            ModelledStore.Apply(store, plain);
            return (CommandStatus.Done, store.AppliedIndex);
        }
        byte[] record = Encode(operation, key, value, match, noneMatchAny, argument, token, time);
        Record.Stamp(record, new LogPosition(1, store.AppliedIndex + 1));
        Record.TryReadHeader(record, out RecordHeader header);
        ApplyResult result = store.Apply(header, record);
        return (result.Status, result.Tag);
    }

    private static byte[] Encode(
        CommandOperation operation, string key, string value, long match, bool noneMatchAny, long argument,
        string token, long time)
    {
        byte[] matchBytes = new byte[match == 0 ? 0 : 8];
        if (match != 0)
            BinaryPrimitives.WriteInt64LittleEndian(matchBytes, match);
        ConditionKinds kinds = (match == 0 ? 0 : ConditionKinds.Match)
            | (noneMatchAny ? ConditionKinds.NoneMatch | ConditionKinds.NoneMatchAny : 0);
        byte[] tokenBytes = Encoding.ASCII.GetBytes(token);
        byte[] keyBytes = Encoding.ASCII.GetBytes(key);
        byte[] valueBytes = Encoding.ASCII.GetBytes(value);
        int payload = KeyCommand.HeadBytes(match == 0 ? 0 : 1, token.Length) + key.Length + value.Length;
        byte[] record = new byte[Record.LengthOf(payload)];
        Span<byte> span = record.AsSpan(Record.HeaderSize, payload);
        bool isOwn = operation is CommandOperation.Expire or CommandOperation.Forget;
        int at = KeyCommand.WriteHead(
            span, operation, new Conditions(kinds, matchBytes, default), tokenBytes, keyBytes, argument,
            isOwn ? time : 0);
        valueBytes.CopyTo(span[at..]);
        if (token.Length > 0)
            KeyCommand.SetFingerprint(span);
        Record.Finish(record, RecordType.Command, payload);
        Record.TryReadHeader(record, out RecordHeader header);
        CommandHead.SetTime(record, header, time);
        return record;
    }
}
