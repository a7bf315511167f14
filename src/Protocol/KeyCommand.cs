using System.Buffers.Binary;
using System.IO.Hashing;

namespace RaftFast.Protocol;

/// <summary>
/// A change of the state machine: the payload of a record of type <see cref="RecordType.Command"/>. A put without
/// condition, time to live and idempotency key is a <see cref="PutCommand"/>. Every other change of one key is,
/// little-endian:
/// <code>
///  0  u8    kind                2
///  1  u8    operation           CommandOperation
///  2  u16   key length          bytes, 1 to PutCommand.KeyBytesMax; 0 for Forget
///  4  u8    conditions          ConditionKinds
///  5  u8    If-Match tags       up to Conditions.TagsMax
///  6  u8    If-None-Match tags  up to Conditions.TagsMax
///  7  u8    token length        bytes, up to TokenBytesMax; 0 without an idempotency key
///  8  i64   log time            milliseconds, set by the leader; 0 if the command needs none
/// 16  i64   argument            see CommandOperation
/// 24  u128  fingerprint         of the request; 0 without an idempotency key
/// 40        tags (i64 each, If-Match's first), token, key, then the value up to the end of the payload
/// </code>
/// </summary>
public readonly ref struct KeyCommand
{
    public const int HeaderSize = 40;

    /// <summary>Maximum bytes of an idempotency key, without quotes.</summary>
    public const int TokenBytesMax = 64;

    /// <summary>Maximum payload bytes before the key.</summary>
    public const int HeadBytesMax = HeaderSize + (2 * Conditions.TagsMax * Conditions.TagBytes) + TokenBytesMax;

    /// <summary>
    /// Version of commands that this program applies: 1 is a <see cref="PutCommand"/> only, 2 knows kind 2, and 3 knows
    /// <see cref="TransactionCommand"/> and <see cref="MessageType.StateHash"/>. A node says its version in each
    /// handshake.
    /// </summary>
    public const int Version = 3;

    /// <summary>Maximum time to live: ten years.</summary>
    public const long TimeToLiveSecondsMax = 10L * 365 * 24 * 3600;

    private const byte Kind = 2;
    private const int TimeOffset = 8;
    private const int FingerprintOffset = 24;

    public CommandOperation Operation { get; private init; }

    public Conditions Conditions { get; private init; }

    /// <summary>Idempotency key; empty without one.</summary>
    public ReadOnlySpan<byte> Token { get; private init; }

    public UInt128 Fingerprint { get; private init; }

    /// <summary>Log time in milliseconds at which the leader proposed the command; 0 if the command needs
    /// none.</summary>
    public long Time { get; private init; }

    /// <inheritdoc cref="CommandOperation"/>
    public long Argument { get; private init; }

    public ReadOnlySpan<byte> Key { get; private init; }

    public ReadOnlySpan<byte> Value { get; private init; }

    /// <summary>True if the leader has to give the command the log time.</summary>
    public bool NeedsTime => !Token.IsEmpty || (Operation == CommandOperation.Put && Argument > 0);

    /// <summary>
    /// True if a client may have asked for the command: its key is a request target, and the leader has not given it a
    /// time yet. Any other command would stop the members that apply it, or change state that does not belong to
    /// clients.
    /// </summary>
    public bool MayBeClients => Operation is CommandOperation.Put or CommandOperation.Delete
        && Key[0] == '/' && Time == 0 && Argument <= TimeToLiveSecondsMax * 1000;

    /// <summary>True if the payload is of kind 2, and so not a <see cref="PutCommand"/>.</summary>
    public static bool IsExtended(ReadOnlySpan<byte> payload) => payload[0] == Kind;

    /// <summary>Payload bytes before the key.</summary>
    public static int HeadBytes(int tags, int tokenLength) =>
        HeaderSize + (tags * Conditions.TagBytes) + tokenLength;

    /// <summary>Writes everything but the value, which the caller then writes.</summary>
    /// <returns>Offset of the value in <paramref name="payload"/>.</returns>
    public static int WriteHead(
        Span<byte> payload, CommandOperation operation, in Conditions conditions, ReadOnlySpan<byte> token,
        ReadOnlySpan<byte> key, long argument = 0, long time = 0)
    {
        int matchTags = conditions.MatchTags.Length / Conditions.TagBytes;
        int noneMatchTags = conditions.NoneMatchTags.Length / Conditions.TagBytes;
        Invariant.Hold(Conditions.AreValid(conditions.Kinds, matchTags, noneMatchTags));
        Invariant.Hold(token.Length <= TokenBytesMax);
        Invariant.Hold(key.Length <= PutCommand.KeyBytesMax);
        Invariant.Hold(key.IsEmpty == (operation == CommandOperation.Forget));
        payload[..HeaderSize].Clear();
        payload[0] = Kind;
        payload[1] = (byte)operation;
        BinaryPrimitives.WriteUInt16LittleEndian(payload[2..], (ushort)key.Length);
        payload[4] = (byte)conditions.Kinds;
        payload[5] = (byte)matchTags;
        payload[6] = (byte)noneMatchTags;
        payload[7] = (byte)token.Length;
        BinaryPrimitives.WriteInt64LittleEndian(payload[TimeOffset..], time);
        BinaryPrimitives.WriteInt64LittleEndian(payload[16..], argument);
        int at = HeaderSize;
        Append(payload, conditions.MatchTags, ref at);
        Append(payload, conditions.NoneMatchTags, ref at);
        Append(payload, token, ref at);
        Append(payload, key, ref at);
        return at;
    }

    /// <summary>
    /// Completes a payload that has an idempotency key: notes a hash of the whole request, by which every member tells
    /// a retry from another request. The time must still be 0.
    /// </summary>
    public static void SetFingerprint(Span<byte> payload)
    {
        Span<byte> fingerprint = payload.Slice(FingerprintOffset, 16);
        Invariant.Hold(!fingerprint.ContainsAnyExcept((byte)0));
        UInt128 hash = XxHash128.HashToUInt128(payload);
        BinaryPrimitives.WriteUInt128LittleEndian(fingerprint, hash == 0 ? 1 : hash);
    }

    internal static void SetTime(Span<byte> payload, long time) =>
        BinaryPrimitives.WriteInt64LittleEndian(payload[TimeOffset..], time);

    public static DecodeStatus TryRead(ReadOnlySpan<byte> payload, out KeyCommand command)
    {
        command = default;
        if (payload.IsEmpty)
            return DecodeStatus.Incomplete;
        if (!IsExtended(payload))
        {
            DecodeStatus status = PutCommand.TryRead(payload, out PutCommand put);
            command = new() { Operation = CommandOperation.Put, Key = put.Key, Value = put.Value };
            return status;
        }
        if (payload.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        ConditionKinds kinds = (ConditionKinds)payload[4];
        int matchBytes = payload[5] * Conditions.TagBytes;
        int noneMatchBytes = payload[6] * Conditions.TagBytes;
        int tokenLength = payload[7];
        int keyLength = BinaryPrimitives.ReadUInt16LittleEndian(payload[2..]);
        int headBytes = HeaderSize + matchBytes + noneMatchBytes + tokenLength;
        if (!Conditions.AreValid(kinds, payload[5], payload[6]) || tokenLength > TokenBytesMax)
            return DecodeStatus.Invalid;
        if (keyLength > PutCommand.KeyBytesMax)
            return DecodeStatus.Invalid;
        if (payload.Length < headBytes + keyLength)
            return DecodeStatus.Incomplete;
        KeyCommand read = new()
        {
            Operation = (CommandOperation)payload[1],
            Conditions = new(
                kinds, payload.Slice(HeaderSize, matchBytes), payload.Slice(HeaderSize + matchBytes, noneMatchBytes)),
            Token = payload.Slice(headBytes - tokenLength, tokenLength),
            Time = BinaryPrimitives.ReadInt64LittleEndian(payload[TimeOffset..]),
            Argument = BinaryPrimitives.ReadInt64LittleEndian(payload[16..]),
            Fingerprint = BinaryPrimitives.ReadUInt128LittleEndian(payload[FingerprintOffset..]),
            Key = payload.Slice(headBytes, keyLength),
            Value = payload[(headBytes + keyLength)..],
        };
        if (!read.IsValid)
            return DecodeStatus.Invalid;
        command = read;
        return DecodeStatus.Complete;
    }

    private bool IsValid
    {
        get
        {
            if (Time is < 0 or > LogPosition.Greatest || Argument is < 0 or > LogPosition.Greatest)
                return false;
            if (Token.IsEmpty != (Fingerprint == 0))
                return false;
            bool isClients = Operation is CommandOperation.Put or CommandOperation.Delete;
            if (!isClients && !(Conditions.IsEmpty && Token.IsEmpty))
                return false;
            return Operation switch
            {
                CommandOperation.Put => !Key.IsEmpty && Value.Length <= PutCommand.ValueBytesMax,
                CommandOperation.Delete => !Key.IsEmpty && Value.IsEmpty && Argument == 0,
                CommandOperation.Expire => !Key.IsEmpty && Value.IsEmpty && Argument > 0,
                CommandOperation.Forget => Key.IsEmpty && Value.IsEmpty,
                _ => false,
            };
        }
    }

    private static void Append(Span<byte> payload, ReadOnlySpan<byte> part, ref int at)
    {
        part.CopyTo(payload[at..]);
        at += part.Length;
    }
}

/// <summary>Effect of a <see cref="KeyCommand"/>. The values are on disk and on the wire.</summary>
public enum CommandOperation : byte
{
    /// <summary>
    /// Writes the key. Argument: milliseconds of log time after which the key is deleted, or 0.
    /// </summary>
    Put = 1,

    /// <summary>Deletes the key. Argument: 0.</summary>
    Delete = 2,

    /// <summary>
    /// Deletes the key if its time has passed and its last write is still the one at the index in Argument. Proposed by
    /// the leader alone.
    /// </summary>
    Expire = 3,

    /// <summary>
    /// Forgets outcomes of requests with idempotency keys, up to the log time in Argument. Proposed by the leader
    /// alone.
    /// </summary>
    Forget = 4,
}
