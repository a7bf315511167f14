using System.Globalization;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Server.Api;

/// <summary>Makes the payload of a transaction's record from its JSON.</summary>
internal sealed class TransactionBuilder
{
    private readonly List<Part> parts = [];
    private readonly List<byte[]> gets = [];
    private byte[] payload = [];
    private int bytes;

    /// <summary>Complete payload.</summary>
    public ReadOnlySpan<byte> Payload => payload;

    /// <summary>Keys that the transaction reads, in the order of its operations.</summary>
    public IReadOnlyList<byte[]> Gets => gets;

    /// <param name="token">Idempotency key; empty without one.</param>
    /// <exception cref="TransactionException">The transaction can't be sent; the text says why.</exception>
    public static TransactionBuilder Build(TransactionJson json, ReadOnlySpan<byte> token, ulong number)
    {
        ConditionJson?[] conditions = json.Conditions ?? [];
        Count(conditions.Length, 0, "conditions");
        Count(json.Operations.Length, 1, "operations");
        TransactionBuilder builder = new();
        HashSet<string> keys = [];
        for (int i = 0; i < conditions.Length; i++)
            builder.Add(conditions[i], $"conditions[{i}]", keys);
        OperationKeys changed = new();
        for (int i = 0; i < json.Operations.Length; i++)
            builder.Add(json.Operations[i], $"operations[{i}]", changed);
        builder.Write(conditions.Length, token, number);
        return builder;
    }

    private static void Count(int count, int min, string name)
    {
        if (count < min || count > TransactionCommand.PartsMax)
        {
            throw new TransactionException(
                400, $"{name} has {count} items; a transaction has {min} to {TransactionCommand.PartsMax}.");
        }
    }

    private void Add(ConditionJson? condition, string place, HashSet<string> keys)
    {
        if (condition is null)
        {
            throw new TransactionException(
                400, $"{place} is null; it must be a condition, with key and exists or tag.");
        }
        byte[] key = Key(condition.Key, place);
        if (!keys.Add(Convert.ToHexString(key)))
            throw new TransactionException(400, $"{place} is a second condition on its key: send one for each key.");
        switch (condition)
        {
            case { Exists: { } exists, Tag: null }:
                Add(exists ? TransactionPartKind.Exists : TransactionPartKind.Absent, key, []);
                break;
            case { Exists: null, Tag: { } tag }:
                if (!long.TryParse(tag, NumberStyles.None, CultureInfo.InvariantCulture, out long index)
                    || index is 0 or > LogPosition.Greatest)
                {
                    throw new TransactionException(
                        400,
                        $"{place} has the tag '{TransactionException.Quoted(tag)}'; it must be a number from 1 on, as "
                        + "ETag and /v1/keys give it. For a key that must not exist send \"exists\":false.");
                }
                Add(TransactionPartKind.HasTag, key, [], index);
                break;
            default:
                throw new TransactionException(400, $"{place} must have exactly one of exists and tag.");
        }
    }

    private void Add(OperationJson? operation, string place, OperationKeys changed)
    {
        (string text, TransactionPartKind kind) = operation switch
        {
            { Put: { } put, Delete: null, Get: null, DeletePrefix: null } => (put, TransactionPartKind.Put),
            { Put: null, Delete: { } delete, Get: null, DeletePrefix: null } => (delete, TransactionPartKind.Delete),
            { Put: null, Delete: null, Get: { } get, DeletePrefix: null } => (get, TransactionPartKind.Get),
            { Put: null, Delete: null, Get: null, DeletePrefix: { } prefix } =>
                (prefix, TransactionPartKind.DeletePrefix),
            _ => throw new TransactionException(400, $"{place} must have one of put, delete, get and deletePrefix."),
        };
        byte[] key = Key(text, place);
        if (!changed.TryAdd(key, isPrefix: kind == TransactionPartKind.DeletePrefix))
        {
            throw new TransactionException(
                400, $"{place} has a key that another operation has, or that a deletePrefix covers: each key may be in "
                + "one operation.");
        }
        if (kind != TransactionPartKind.Put)
        {
            if (operation is not { Value: null, Text: null, Ttl: null })
                throw new TransactionException(400, $"{place} has value, text or ttl, which only a put may have.");
            if (kind == TransactionPartKind.Get)
                gets.Add(key);
            Add(kind, key, []);
            return;
        }
        if (operation!.Value is null == operation.Text is null)
            throw new TransactionException(400, $"{place} must have exactly one of value (base64) and text.");
        if (operation.Ttl is < 1 or > KeyCommand.TimeToLiveSecondsMax)
        {
            throw new TransactionException(
                400,
                $"{place} has the ttl {operation.Ttl}; it must be 1 to {KeyCommand.TimeToLiveSecondsMax} seconds.");
        }
        byte[] value = operation.Value ?? Encoding.UTF8.GetBytes(operation.Text!);
        Add(kind, key, value, (operation.Ttl ?? 0) * 1000);
    }

    private static byte[] Key(string text, string place)
    {
        byte[]? key = PercentEncoding.TryDecode(text);
        if (key is null)
        {
            throw new TransactionException(
                400, $"{place} has a key with a '%' without two hexadecimal digits after it, or with a character that "
                + "is not ASCII: give it percent-encoded, as /v1/keys does.");
        }
        if (key.Length == 0 || key[0] != '/')
            throw new TransactionException(400, $"{place} has a key that does not begin with '/', as every key does.");
        return key.Length <= PutCommand.KeyBytesMax ? key : throw new TransactionException(
            400, $"{place} has a key of {key.Length} bytes; a key has {PutCommand.KeyBytesMax} at most.");
    }

    private void Add(TransactionPartKind kind, byte[] key, byte[] value, long argument = 0)
    {
        if (bytes + key.Length + value.Length > TransactionCommand.BytesMax)
        {
            throw new TransactionException(
                413, $"Keys and values have more than {TransactionCommand.BytesMax} bytes together: send several "
                + "transactions.");
        }
        bytes += key.Length + value.Length;
        parts.Add(new Part(kind, key, value, argument));
    }

    private void Write(int conditions, ReadOnlySpan<byte> token, ulong number)
    {
        payload = new byte[
            TransactionCommand.HeaderSize + token.Length + (parts.Count * TransactionPart.HeaderSize) + bytes];
        int length = TransactionCommand.WriteHead(payload, conditions, parts.Count - conditions, token, number);
        foreach (Part part in parts)
            length += TransactionPart.Write(payload.AsSpan(length), part.Kind, part.Key, part.Value, part.Argument);
        if (!token.IsEmpty)
            TransactionCommand.SetFingerprint(payload);
    }

    private readonly record struct Part(TransactionPartKind Kind, byte[] Key, byte[] Value, long Argument);
}

/// <summary>Keys of a transaction's operations. Each key may be in one operation only.</summary>
internal sealed class OperationKeys
{
    private readonly SortedSet<byte[]> keys = new(ByteOrder.Instance);
    private readonly List<byte[]> prefixes = [];

    /// <param name="isPrefix">True if the operation concerns all keys that begin with the key.</param>
    /// <returns>False if another operation has the key, or one of these keys.</returns>
    public bool TryAdd(byte[] key, bool isPrefix)
    {
        foreach (byte[] prefix in prefixes)
        {
            if (key.AsSpan().StartsWith(prefix))
                return false;
        }
        if (!isPrefix)
            return keys.Add(key);
        foreach (byte[] other in (IEnumerable<byte[]>)[.. keys, .. prefixes])
        {
            if (other.AsSpan().StartsWith(key))
                return false;
        }
        prefixes.Add(key);
        return true;
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
