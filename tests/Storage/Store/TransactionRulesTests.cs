using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class TransactionRulesTests : IDisposable
{
    private readonly KeyValueStore store = new();

    public void Dispose() => store.Dispose();

    [Fact]
    public void All_operations_take_effect_at_the_index_of_the_entry()
    {
        Put("/a", "old");
        Put("/p/1", "x");
        Put("/p/2", "x");
        Put("/q", "x");
        CommandResult result = Apply(
            [Part(TransactionPartKind.HasTag, "/a", argument: 1), Part(TransactionPartKind.Absent, "/b")],
            [
                Part(TransactionPartKind.Put, "/a", "new"), Part(TransactionPartKind.Put, "/b", "b"),
                Part(TransactionPartKind.DeletePrefix, "/p/"), Part(TransactionPartKind.Delete, "/absent"),
            ]);
        Assert.Equal(new CommandResult(CommandStatus.Done, 5), result);
        Assert.Equal(["/a=new@5", "/b=b@5", "/q=x@4"], Contents(store));
    }

    [Theory]
    [InlineData(TransactionPartKind.Exists, "/absent", 0)]
    [InlineData(TransactionPartKind.Absent, "/a", 0)]
    [InlineData(TransactionPartKind.HasTag, "/a", 2)]
    [InlineData(TransactionPartKind.HasTag, "/absent", 0)]
    public void Nothing_is_changed_if_a_condition_does_not_hold(TransactionPartKind kind, string key, long argument)
    {
        Put("/a", "old");
        CommandResult result = Apply(
            [Part(TransactionPartKind.Exists, "/a"), Part(kind, key, argument: argument)],
            [Part(TransactionPartKind.Put, "/a", "new"), Part(TransactionPartKind.DeletePrefix, "/")]);
        Assert.Equal(new CommandResult(CommandStatus.ConditionFailed, 2, Part: 1), result);
        Assert.Equal(["/a=old@1"], Contents(store));
    }

    [Fact]
    public void Deletion_of_too_many_keys_changes_nothing()
    {
        for (int i = 0; i <= TransactionCommand.PrefixKeysMax; i++)
            Put($"/p/{i}", "");
        CommandResult result = Apply(
            [], [Part(TransactionPartKind.Put, "/a", "a"), Part(TransactionPartKind.DeletePrefix, "/p/")]);
        Assert.Equal((CommandStatus.TooLarge, 1), (result.Status, result.Part));
        Assert.Equal(TransactionCommand.PrefixKeysMax + 1, store.Count);
        Apply([], [Part(TransactionPartKind.Delete, "/p/7")]);
        Assert.Equal(CommandStatus.Done, Apply([], [Part(TransactionPartKind.DeletePrefix, "/p/")]).Status);
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void Reads_of_too_many_bytes_change_nothing()
    {
        string half = new('x', (TransactionCommand.BytesMax / 2) + 1);
        Put("/a", half);
        Put("/b", half);
        CommandResult result = Apply(
            [],
            [
                Part(TransactionPartKind.Put, "/c", "c"), Part(TransactionPartKind.Get, "/a"),
                Part(TransactionPartKind.Get, "/b"),
            ]);
        Assert.Equal((CommandStatus.TooLarge, 2), (result.Status, result.Part));
        Assert.Equal(2, store.Count);
    }

    [Fact]
    public void Retry_gets_the_first_outcome_and_changes_nothing()
    {
        byte[][] operations = [Part(TransactionPartKind.Put, "/a", "a")];
        Assert.Equal(new CommandResult(CommandStatus.Done, 1), Apply([], operations, "t"));
        Put("/a", "other");
        Assert.Equal(new CommandResult(CommandStatus.Done, 1, IsRepeated: true), Apply([], operations, "t"));
        Assert.Equal(CommandStatus.KeyReused, Apply([], [Part(TransactionPartKind.Delete, "/a")], "t").Status);
        byte[][] conditions = [Part(TransactionPartKind.Exists, "/a"), Part(TransactionPartKind.Absent, "/a")];
        CommandResult failed = new(CommandStatus.ConditionFailed, 5, Part: 1);
        Assert.Equal(failed, Apply(conditions, operations, "u"));
        Put("/b", "b");
        Assert.Equal(failed with { IsRepeated = true }, Apply(conditions, operations, "u"));
        Assert.Equal(["/a=other@2", "/b=b@6"], Contents(store));
    }

    [Fact]
    public void Key_with_a_time_to_live_expires_by_log_time()
    {
        Apply(
            [], [Part(TransactionPartKind.Put, "/a", "a", 1000), Part(TransactionPartKind.Put, "/b", "b")], time: 500);
        Assert.Equal(1500, store.NextExpiry);
        Assert.Equal(500, store.LogTime);
    }

    [Fact]
    public void Snapshot_tells_that_the_state_needs_a_program_with_transactions()
    {
        Assert.Equal(1, store.Version);
        Apply([], [Part(TransactionPartKind.Put, "/a", "a"), Part(TransactionPartKind.Put, "/b", "b")]);
        Assert.Equal(3, store.Version);
        using StoreView view = store.BeginView();
        using KeyValueStore loaded = CommandRulesTests.Load(view);
        Assert.Equal(3, loaded.Version);
        Assert.Equal(Contents(store), Contents(loaded));
    }

    [Fact]
    public void History_has_every_change_of_the_entry()
    {
        ChangeHistory history = new(ChangeHistory.BytesMin);
        Put("/p/1", "x");
        Put("/p/2", "x");
        store.History = history;
        history.Reset(store.AppliedIndex);
        long position = history.Read().Head;
        Apply([], [Part(TransactionPartKind.Put, "/a", "a"), Part(TransactionPartKind.DeletePrefix, "/p/")]);
        history.Publish(store.AppliedIndex);
        List<string> changes = [];
        byte[] key = new byte[PutCommand.KeyBytesMax];
        for (; position < history.Read().Head;)
        {
            Assert.True(history.TryRead(position, out Change change, key));
            changes.Add($"{change.Index} {change.Kind} {Encoding.ASCII.GetString(key, 0, change.KeyLength)}");
            position += change.Length;
        }
        Assert.Equal(["3 Put /a", "3 Delete /p/1", "3 Delete /p/2"], changes);
    }

    /// <summary>Random transactions against a dictionary, with views between.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Store_agrees_with_a_dictionary(int seed)
    {
        Random random = new(seed);
        SortedDictionary<string, (string Value, long Tag)> model = new(StringComparer.Ordinal);
        int failed = 0;
        for (int i = 0; i < 3000; i++)
        {
            List<byte[]> conditions = [];
            bool holds = true;
            foreach (string key in Keys(random, 2))
            {
                bool exists = random.Next(2) == 0;
                conditions.Add(Part(exists ? TransactionPartKind.Exists : TransactionPartKind.Absent, key));
                holds &= model.ContainsKey(key) == exists;
            }
            List<byte[]> operations = [];
            SortedDictionary<string, (string Value, long Tag)> changed = new(model, StringComparer.Ordinal);
            foreach (string key in Keys(random, 4).DefaultIfEmpty("/0"))
            {
                if (random.Next(3) == 0)
                {
                    operations.Add(Part(TransactionPartKind.Delete, key));
                    changed.Remove(key);
                    continue;
                }
                string value = new((char)('a' + random.Next(26)), random.Next(200));
                operations.Add(Part(TransactionPartKind.Put, key, value));
                changed[key] = (value, store.AppliedIndex + 1);
            }
            if (random.Next(10) == 0)
            {
                string prefix = $"/{random.Next(10)}";
                operations = [Part(TransactionPartKind.DeletePrefix, prefix)];
                changed = new(model, StringComparer.Ordinal);
                foreach (string key in model.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)))
                    changed.Remove(key);
            }
            CommandResult result = Apply([.. conditions], [.. operations]);
            Assert.Equal(holds ? CommandStatus.Done : CommandStatus.ConditionFailed, result.Status);
            model = holds ? changed : model;
            failed += holds ? 0 : 1;
            Assert.Equal(model.Select(pair => $"{pair.Key}={pair.Value.Value}@{pair.Value.Tag}"), Contents(store));
        }
        Assert.InRange(failed, 1000, 2900);
    }

    private static IEnumerable<string> Keys(Random random, int max) =>
        Enumerable.Range(0, random.Next(max + 1)).Select(_ => $"/{random.Next(30)}").Distinct();

    private static List<string> Contents(KeyValueStore store)
    {
        KeyPage page = new();
        page.Fill(store, new KeyRange([], [], KeyPage.KeysMax, WithValues: true));
        List<string> contents = [];
        ReadOnlySpan<byte> rest = page.Encoded;
        while (page.TryRead(rest, out ListedKey key, out int bytes))
        {
            contents.Add($"{Encoding.ASCII.GetString(key.Key)}={Encoding.ASCII.GetString(key.Value)}@{key.Tag}");
            rest = rest[bytes..];
        }
        return contents;
    }

    private void Put(string key, string value) =>
        ModelledStore.Apply(
            store, ModelledStore.PutRecord(Encoding.ASCII.GetBytes(key), Encoding.ASCII.GetBytes(value)));

    private static byte[] Part(TransactionPartKind kind, string key, string value = "", long argument = 0)
    {
        byte[] part = new byte[TransactionPart.HeaderSize + key.Length + value.Length];
        TransactionPart.Write(part, kind, Encoding.ASCII.GetBytes(key), Encoding.ASCII.GetBytes(value), argument);
        return part;
    }

    private CommandResult Apply(byte[][] conditions, byte[][] operations, string token = "", long time = 0)
    {
        byte[] parts = [.. conditions.Concat(operations).SelectMany(part => part)];
        byte[] head = new byte[TransactionCommand.HeaderSize + KeyCommand.TokenBytesMax];
        int length = TransactionCommand.WriteHead(
            head, conditions.Length, operations.Length, Encoding.ASCII.GetBytes(token), (ulong)store.AppliedIndex);
        byte[] payload = [.. head[..length], .. parts];
        if (token.Length > 0)
            TransactionCommand.SetFingerprint(payload);
        byte[] record = new byte[Record.LengthOf(payload.Length)];
        payload.CopyTo(record, Record.HeaderSize);
        Record.Finish(record, RecordType.Command, payload.Length);
        Record.TryReadHeader(record, out RecordHeader header);
        CommandHead.SetTime(record, header, time);
        Record.Stamp(record, new LogPosition(1, store.AppliedIndex + 1));
        Record.TryReadHeader(record, out header);
        return store.Apply(header, record).Result;
    }
}
