using System.Buffers.Binary;
using System.IO.Hashing;

namespace RaftFast.Protocol;

/// <summary>
/// Conditions and changes of many keys that one entry applies, all or none: the payload of a record of type
/// <see cref="RecordType.Command"/>, little-endian:
/// <code>
///  0  u8    kind          3
///  1  u8    conditions    number of parts, up to PartsMax
///  2  u8    operations    number of parts, 1 to PartsMax
///  3  u8    token length  bytes, up to KeyCommand.TokenBytesMax; 0 without an idempotency key
///  4  u32   zero
///  8  i64   log time      milliseconds, set by the leader; 0 if the transaction needs none
/// 16  u64   number        chosen at random by the member that the client has asked
/// 24  u128  fingerprint   of the request; 0 without an idempotency key
/// 40        token, conditions, operations; each part is a TransactionPart
/// </code>
/// </summary>
public readonly ref struct TransactionCommand
{
    public const int HeaderSize = 40;

    /// <summary>Maximum conditions, and maximum operations.</summary>
    public const int PartsMax = 128;

    /// <summary>Maximum bytes of all keys and values together.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>Maximum keys that the deletions of prefixes may delete together: a bound on the entry's time.</summary>
    public const int PrefixKeysMax = 1000;

    /// <summary>First byte of the payload.</summary>
    public const byte Kind = 3;

    private const int TimeOffset = 8;
    private const int NumberOffset = 16;
    private const int FingerprintOffset = 24;

    /// <summary>Idempotency key; empty without one.</summary>
    public ReadOnlySpan<byte> Token { get; private init; }

    public UInt128 Fingerprint { get; private init; }

    /// <inheritdoc cref="KeyCommand.Time"/>
    public long Time { get; private init; }

    /// <summary>Number by which the member that the client has asked finds its request.</summary>
    public ulong Number { get; private init; }

    public TransactionParts Conditions { get; private init; }

    public TransactionParts Operations { get; private init; }

    /// <inheritdoc cref="KeyCommand.NeedsTime"/>
    public bool NeedsTime
    {
        get
        {
            if (!Token.IsEmpty)
                return true;
            foreach (TransactionPart part in Operations)
            {
                if (part.Kind == TransactionPartKind.Put && part.Argument > 0)
                    return true;
            }
            return false;
        }
    }

    /// <inheritdoc cref="KeyCommand.MayBeClients"/>
    public bool MayBeClients => Time == 0;

    /// <summary>Maximum payload bytes.</summary>
    public const int PayloadBytesMax =
        HeaderSize + KeyCommand.TokenBytesMax + (2 * PartsMax * TransactionPart.HeaderSize) + BytesMax;

    /// <summary>Writes the header and the token. The caller then writes the parts, conditions first.</summary>
    /// <returns>Offset of the first part in <paramref name="payload"/>.</returns>
    public static int WriteHead(
        Span<byte> payload, int conditions, int operations, ReadOnlySpan<byte> token, ulong number)
    {
        Invariant.Hold(conditions is >= 0 and <= PartsMax && operations is > 0 and <= PartsMax);
        Invariant.Hold(token.Length <= KeyCommand.TokenBytesMax);
        payload[..HeaderSize].Clear();
        payload[0] = Kind;
        payload[1] = (byte)conditions;
        payload[2] = (byte)operations;
        payload[3] = (byte)token.Length;
        BinaryPrimitives.WriteUInt64LittleEndian(payload[NumberOffset..], number);
        token.CopyTo(payload[HeaderSize..]);
        return HeaderSize + token.Length;
    }

    /// <summary>
    /// Completes a payload that has an idempotency key, as <see cref="KeyCommand.SetFingerprint"/> does. The
    /// fingerprint does not cover the number, because a retry has another number.
    /// </summary>
    public static void SetFingerprint(Span<byte> payload)
    {
        Span<byte> fingerprint = payload.Slice(FingerprintOffset, 16);
        Invariant.Hold(!fingerprint.ContainsAnyExcept((byte)0));
        XxHash128 hash = new();
        hash.Append(payload[..NumberOffset]);
        hash.Append(payload[FingerprintOffset..]);
        UInt128 value = hash.GetCurrentHashAsUInt128();
        BinaryPrimitives.WriteUInt128LittleEndian(fingerprint, value == 0 ? 1 : value);
    }

    internal static void SetTime(Span<byte> payload, long time) =>
        BinaryPrimitives.WriteInt64LittleEndian(payload[TimeOffset..], time);

    public static DecodeStatus TryRead(ReadOnlySpan<byte> payload, out TransactionCommand command)
    {
        command = default;
        if (payload.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        int conditions = payload[1];
        int operations = payload[2];
        int tokenLength = payload[3];
        if (payload[0] != Kind || payload[4..TimeOffset].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        if (conditions > PartsMax || operations is 0 or > PartsMax || tokenLength > KeyCommand.TokenBytesMax)
            return DecodeStatus.Invalid;
        if (payload.Length < HeaderSize + tokenLength)
            return DecodeStatus.Incomplete;
        ReadOnlySpan<byte> parts = payload[(HeaderSize + tokenLength)..];
        DecodeStatus status = TryMeasure(parts, conditions, areConditions: true, out int conditionBytes, out int bytes);
        if (status != DecodeStatus.Complete)
            return status;
        status = TryMeasure(parts[conditionBytes..], operations, areConditions: false, out int length, out int more);
        if (status != DecodeStatus.Complete)
            return status;
        TransactionCommand read = new()
        {
            Token = payload.Slice(HeaderSize, tokenLength),
            Time = BinaryPrimitives.ReadInt64LittleEndian(payload[TimeOffset..]),
            Number = BinaryPrimitives.ReadUInt64LittleEndian(payload[NumberOffset..]),
            Fingerprint = BinaryPrimitives.ReadUInt128LittleEndian(payload[FingerprintOffset..]),
            Conditions = new(parts[..conditionBytes]),
            Operations = new(parts.Slice(conditionBytes, length)),
        };
        bool isValid = read.Time is >= 0 and <= LogPosition.Greatest && read.Token.IsEmpty == (read.Fingerprint == 0)
            && conditionBytes + length == parts.Length && bytes + more <= BytesMax;
        if (!isValid)
            return DecodeStatus.Invalid;
        command = read;
        return DecodeStatus.Complete;
    }

    /// <param name="length">Bytes of the parts.</param>
    /// <param name="bytes">Bytes of their keys and values.</param>
    private static DecodeStatus TryMeasure(
        ReadOnlySpan<byte> parts, int count, bool areConditions, out int length, out int bytes)
    {
        length = bytes = 0;
        for (int i = 0; i < count; i++)
        {
            DecodeStatus status = TransactionPart.TryRead(parts[length..], out TransactionPart part);
            if (status != DecodeStatus.Complete)
                return status;
            if (part.IsCondition != areConditions)
                return DecodeStatus.Invalid;
            length += part.Length;
            bytes += part.Key.Length + part.Value.Length;
        }
        return DecodeStatus.Complete;
    }
}

/// <summary>Verified parts of a transaction, in their order.</summary>
public readonly ref struct TransactionParts(ReadOnlySpan<byte> encoded)
{
    private readonly ReadOnlySpan<byte> encoded = encoded;

    public Enumerator GetEnumerator() => new(encoded);

    public ref struct Enumerator(ReadOnlySpan<byte> encoded)
    {
        private ReadOnlySpan<byte> rest = encoded;

        public TransactionPart Current { get; private set; }

        public bool MoveNext()
        {
            if (rest.IsEmpty)
                return false;
            DecodeStatus status = TransactionPart.TryRead(rest, out TransactionPart part);
            Invariant.Hold(status == DecodeStatus.Complete);
            Current = part;
            rest = rest[part.Length..];
            return true;
        }
    }
}

/// <summary>
/// A condition or an operation of a transaction, little-endian:
/// <code>
///  0  u8   kind          TransactionPartKind
///  1  u8   zero
///  2  u16  key length    bytes, 1 to PutCommand.KeyBytesMax
///  4  u32  value length  bytes, up to PutCommand.ValueBytesMax; 0 unless the kind is Put
///  8  i64  argument      see TransactionPartKind
/// 16       key, value
/// </code>
/// </summary>
public readonly ref struct TransactionPart
{
    public const int HeaderSize = 16;

    public TransactionPartKind Kind { get; private init; }

    /// <inheritdoc cref="TransactionPartKind"/>
    public long Argument { get; private init; }

    /// <summary>Key of a client, which is a request target.</summary>
    public ReadOnlySpan<byte> Key { get; private init; }

    public ReadOnlySpan<byte> Value { get; private init; }

    public bool IsCondition => Kind <= TransactionPartKind.HasTag;

    /// <summary>Bytes of the part.</summary>
    public int Length => HeaderSize + Key.Length + Value.Length;

    /// <returns>Bytes written.</returns>
    public static int Write(
        Span<byte> destination, TransactionPartKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value = default,
        long argument = 0)
    {
        destination[..HeaderSize].Clear();
        destination[0] = (byte)kind;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)key.Length);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], value.Length);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], argument);
        key.CopyTo(destination[HeaderSize..]);
        value.CopyTo(destination[(HeaderSize + key.Length)..]);
        return HeaderSize + key.Length + value.Length;
    }

    internal static DecodeStatus TryRead(ReadOnlySpan<byte> source, out TransactionPart part)
    {
        part = default;
        if (source.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        int keyLength = BinaryPrimitives.ReadUInt16LittleEndian(source[2..]);
        uint valueLength = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        if (source[1] != 0 || keyLength is 0 or > PutCommand.KeyBytesMax || valueLength > PutCommand.ValueBytesMax)
            return DecodeStatus.Invalid;
        if (source.Length < HeaderSize + keyLength + (int)valueLength)
            return DecodeStatus.Incomplete;
        TransactionPart read = new()
        {
            Kind = (TransactionPartKind)source[0],
            Argument = BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
            Key = source.Slice(HeaderSize, keyLength),
            Value = source.Slice(HeaderSize + keyLength, (int)valueLength),
        };
        if (!read.IsValid)
            return DecodeStatus.Invalid;
        part = read;
        return DecodeStatus.Complete;
    }

    private bool IsValid
    {
        get
        {
            long argumentMax = Kind switch
            {
                TransactionPartKind.HasTag => LogPosition.Greatest,
                TransactionPartKind.Put => KeyCommand.TimeToLiveSecondsMax * 1000,
                >= TransactionPartKind.Exists and <= TransactionPartKind.DeletePrefix => 0,
                _ => -1,
            };
            return Argument >= 0 && Argument <= argumentMax && Key[0] == '/'
                && (Value.IsEmpty || Kind == TransactionPartKind.Put);
        }
    }
}

/// <summary>Kind of a <see cref="TransactionPart"/>. The values are on disk and on the wire.</summary>
public enum TransactionPartKind : byte
{
    /// <summary>Condition: the key exists.</summary>
    Exists = 1,

    /// <summary>Condition: the key does not exist.</summary>
    Absent = 2,

    /// <summary>Condition: the index of the key's last write is the argument.</summary>
    HasTag = 3,

    /// <summary>Writes the key. Argument: milliseconds of log time after which the key is deleted, or 0.</summary>
    Put = 4,

    /// <summary>Deletes the key, if it exists.</summary>
    Delete = 5,

    /// <summary>Reads the key, at the index of the entry.</summary>
    Get = 6,

    /// <summary>Deletes all keys that begin with the key.</summary>
    DeletePrefix = 7,
}
