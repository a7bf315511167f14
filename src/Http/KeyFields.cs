using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Headers that say more about a key: conditions (RFC 9110 §13.1), time to live, idempotency key, waiting (RFC 7240
/// §4.3) and staleness (RFC 9111 §5.2.1.2). Most requests have none of these headers, and are parsed without this
/// struct.
/// </summary>
internal ref struct KeyFields
{
    private EntityTags match;
    private EntityTags noneMatch;
    private TokenBytes token;
    private int tokenLength;
    private bool saysNoCache;
    private long? staleSecondsMax;

    /// <summary>Refusal of a header that has no meaning for a DELETE of a member.</summary>
    private Refusal? ofKey;

    /// <summary>Seconds that a PUT key lives; 0 if it does not expire.</summary>
    public long TimeToLiveSeconds { get; private set; }

    /// <summary>Seconds that a GET may wait; null without the preference.</summary>
    public long? WaitSeconds { get; private set; }

    /// <summary>Maximum age in seconds of the state that answers a read; MaxValue for any age, null for a current
    /// answer.</summary>
    public readonly long? StaleSecondsMax => saysNoCache ? null : staleSecondsMax;

    public readonly bool HasMatch => match.IsPresent;

    /// <summary>Returns the refusal that all headers together demand, or null.</summary>
    public readonly Refusal? Conclude(RequestMethod method) =>
        method == RequestMethod.Delete && !HasMatch ? null : ofKey;

    [UnscopedRef]
    public readonly Conditions Conditions => new(
        (match.IsPresent ? ConditionKinds.Match : 0)
            | (match.IsAny ? ConditionKinds.MatchAny : 0)
            | (noneMatch.IsPresent ? ConditionKinds.NoneMatch : 0)
            | (noneMatch.IsAny ? ConditionKinds.NoneMatchAny : 0),
        match.Bytes, noneMatch.Bytes);

    /// <summary>Idempotency key without quotes; empty without one.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Token => ((ReadOnlySpan<byte>)token)[..tokenLength];

    /// <summary>True if a header of this name may matter here.</summary>
    public static bool Has(ReadOnlySpan<byte> name) => name.Length switch
    {
        6 => Ascii.EqualsIgnoreCase(name, "prefer"u8),
        8 => Ascii.EqualsIgnoreCase(name, "if-match"u8),
        12 => Ascii.EqualsIgnoreCase(name, "raftfast-ttl"u8),
        13 => Ascii.EqualsIgnoreCase(name, "if-none-match"u8) || Ascii.EqualsIgnoreCase(name, "cache-control"u8),
        15 => Ascii.EqualsIgnoreCase(name, "idempotency-key"u8),
        _ => false,
    };

    /// <summary>Takes a header, if it has a meaning for the method.</summary>
    public Refusal? Add(RequestMethod method, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        bool isRead = method is RequestMethod.Get or RequestMethod.Head;
        switch (name.Length)
        {
            case 6 when method == RequestMethod.Get && Ascii.EqualsIgnoreCase(name, "prefer"u8):
                return AddPreferences(value);
            case 8 when method != RequestMethod.Post && Ascii.EqualsIgnoreCase(name, "if-match"u8):
                return match.TryAdd(value, isStrong: true) ? null : Refusal.IfMatch;
            case 12 when method == RequestMethod.Put && Ascii.EqualsIgnoreCase(name, "raftfast-ttl"u8):
                return AddTimeToLive(value);
            case 13 when method != RequestMethod.Post && Ascii.EqualsIgnoreCase(name, "if-none-match"u8):
                if (!noneMatch.TryAdd(value, isStrong: false))
                    ofKey ??= Refusal.IfNoneMatch;
                return null;
            case 13 when isRead && Ascii.EqualsIgnoreCase(name, "cache-control"u8):
                AddCacheControl(value);
                return null;
            case 15 when method is RequestMethod.Put or RequestMethod.Delete
                && Ascii.EqualsIgnoreCase(name, "idempotency-key"u8):
                if (tokenLength != 0 || !IdempotencyKey.TryParse(value, token, out tokenLength))
                    ofKey ??= Refusal.IdempotencyKey;
                return null;
            default:
                return null;
        }
    }

    private Refusal? AddTimeToLive(ReadOnlySpan<byte> value)
    {
        bool isNumber = TryParseSeconds(value, out long seconds);
        if (TimeToLiveSeconds != 0 || !isNumber || seconds is < 1 or > KeyCommand.TimeToLiveSecondsMax)
            return Refusal.TimeToLive;
        TimeToLiveSeconds = seconds;
        return null;
    }

    private Refusal? AddPreferences(ReadOnlySpan<byte> value)
    {
        while (DirectiveReader.TryRead(ref value, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> argument))
        {
            // RFC 7240 §2: the first of several equal preferences counts.
            if (WaitSeconds is not null || !Ascii.EqualsIgnoreCase(name, "wait"u8))
                continue;
            if (!TryParseSeconds(argument, out long seconds))
                return Refusal.Wait;
            WaitSeconds = seconds;
        }
        return null;
    }

    private void AddCacheControl(ReadOnlySpan<byte> value)
    {
        while (DirectiveReader.TryRead(ref value, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> argument))
        {
            saysNoCache |= Ascii.EqualsIgnoreCase(name, "no-cache"u8);
            if (!Ascii.EqualsIgnoreCase(name, "max-stale"u8))
                continue;
            long seconds = long.MaxValue;
            // A directive that is no number is ignored: the answer is then a current one.
            if (argument.IsEmpty || TryParseSeconds(argument, out seconds))
                staleSecondsMax = Math.Min(staleSecondsMax ?? long.MaxValue, seconds);
        }
    }

    /// <summary>Accepts a decimal number; a number that does not fit counts as the largest (RFC 9111 §1.2.2).</summary>
    private static bool TryParseSeconds(ReadOnlySpan<byte> value, out long seconds)
    {
        seconds = int.MaxValue;
        if (value.IsEmpty || value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        if (Utf8Parser.TryParse(value, out long parsed, out _))
            seconds = Math.Min(parsed, int.MaxValue);
        return true;
    }

    [InlineArray(KeyCommand.TokenBytesMax)]
    private struct TokenBytes
    {
        private byte first;
    }
}
