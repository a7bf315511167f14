using System.Globalization;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Server.Api;

/// <summary>Makes the payload of a transaction's record from its JSON.</summary>
internal sealed class TransactionBuilder
{
    private readonly byte[] payload;
    private readonly List<byte[]> gets = [];
    private int length;
    private int bytes;

    private TransactionBuilder(int payloadBytes) => payload = new byte[payloadBytes];

    /// <summary>Complete payload.</summary>
    public ReadOnlySpan<byte> Payload => payload.AsSpan(0, length);

    /// <summary>Keys that the transaction reads, in the order of its operations.</summary>
    public IReadOnlyList<byte[]> Gets => gets;

    /// <param name="token">Idempotency key; empty without one.</param>
    /// <exception cref="TransactionException">The transaction can't be sent; the text says why.</exception>
    public static TransactionBuilder Build(TransactionJson json, ReadOnlySpan<byte> token, ulong number)
    {
        ConditionJson?[] conditions = json.Conditions ?? [];
        Count(conditions.Length, 0, "conditions");
        Count(json.Operations.Length, 1, "operations");
        TransactionBuilder builder = new(TransactionCommand.PayloadBytesMax);
        builder.length = TransactionCommand.WriteHead(
            builder.payload, conditions.Length, json.Operations.Length, token, number);
        HashSet<string> keys = [];
        for (int i = 0; i < conditions.Length; i++)
            builder.Add(conditions[i], $"conditions[{i}]", keys);
        OperationKeys changed = new();
        for (int i = 0; i < json.Operations.Length; i++)
            builder.Add(json.Operations[i], $"operations[{i}]", changed);
        if (!token.IsEmpty)
            TransactionCommand.SetFingerprint(builder.payload.AsSpan(0, builder.length));
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
        byte[] key = Key(condition?.Key ?? "", place);
        if (!keys.Add(Convert.ToHexString(key)))
            throw new TransactionException(400, $"{place} is a second condition on its key: send one for each key.");
        switch (condition)
        {
            case { Exists: { } exists, Tag: null }:
                Write(exists ? TransactionPartKind.Exists : TransactionPartKind.Absent, key);
                break;
            case { Exists: null, Tag: { } tag }:
                if (!long.TryParse(tag, NumberStyles.None, CultureInfo.InvariantCulture, out long index)
                    || index > LogPosition.Greatest)
                {
                    throw new TransactionException(
                        400, $"{place} has the tag '{tag}'; it must be a number, as ETag and /v1/keys give it.");
                }
                Write(TransactionPartKind.HasTag, key, default, index);
                break;
            default:
                throw new TransactionException(400, $"{place} must have either exists or tag.");
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
                400, $"{place} has a key that another operation has, too: each key may be in one operation.");
        }
        if (kind != TransactionPartKind.Put)
        {
            if (operation is not { Value: null, Text: null, Ttl: null })
                throw new TransactionException(400, $"{place} has value, text or ttl, which only a put may have.");
            if (kind == TransactionPartKind.Get)
                gets.Add(key);
            Write(kind, key);
            return;
        }
        if (operation!.Value is null == operation.Text is null)
            throw new TransactionException(400, $"{place} must have either value (base64) or text.");
        if (operation.Ttl is < 1 or > KeyCommand.TimeToLiveSecondsMax)
        {
            throw new TransactionException(
                400,
                $"{place} has the ttl {operation.Ttl}; it must be 1 to {KeyCommand.TimeToLiveSecondsMax} seconds.");
        }
        byte[] value = operation.Value ?? Encoding.UTF8.GetBytes(operation.Text!);
        Write(kind, key, value, (operation.Ttl ?? 0) * 1000);
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

    private void Write(
        TransactionPartKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value = default, long argument = 0)
    {
        if (bytes + key.Length + value.Length > TransactionCommand.BytesMax)
        {
            throw new TransactionException(
                413, $"Keys and values have more than {TransactionCommand.BytesMax} bytes together: send several "
                + "transactions.");
        }
        bytes += key.Length + value.Length;
        length += TransactionPart.Write(payload.AsSpan(length), kind, key, value, argument);
    }
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

/// <summary>A transaction that can't be sent.</summary>
/// <param name="status">400 or 413.</param>
/// <param name="message">The fault, and its remedy.</param>
internal sealed class TransactionException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
