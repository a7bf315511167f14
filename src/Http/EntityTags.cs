using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Value of If-Match or If-None-Match (RFC 9110 §13.1): <c>*</c>, or tags. Only tags that can match are kept: numbers
/// without leading zeros and, for strong comparison (§8.8.3.2), without <c>W/</c>.
/// </summary>
internal struct EntityTags
{
    private static readonly SearchValues<byte> Whitespace = SearchValues.Create(" \t"u8);

    private TagBytes bytes;
    private int seen;
    private int kept;

    public bool IsPresent { get; private set; }

    public bool IsAny { get; private set; }

    /// <summary>The kept tags, little-endian i64 each.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)bytes)[..(kept * Conditions.TagBytes)];

    /// <summary>Adds the value of one field line; several lines are one list (RFC 9110 §5.3).</summary>
    /// <returns>False if the value is malformed, or there are more than Conditions.TagsMax tags.</returns>
    public bool TryAdd(ReadOnlySpan<byte> value, bool isStrong)
    {
        IsPresent = true;
        if (value.SequenceEqual("*"u8))
        {
            bool isAlone = seen == 0 && !IsAny;
            IsAny = true;
            return isAlone;
        }
        int before = seen;
        while (SkipToTag(ref value))
        {
            bool isWeak = value.StartsWith("W/"u8);
            ReadOnlySpan<byte> quoted = isWeak ? value[2..] : value;
            int end = quoted.IsEmpty || quoted[0] != '"' ? -1 : quoted[1..].IndexOf((byte)'"');
            if (end < 0 || quoted.Slice(1, end).ContainsAnyInRange((byte)0, (byte)' ') || ++seen > Conditions.TagsMax)
                return false;
            if (!(isStrong && isWeak))
                Keep(quoted.Slice(1, end));
            value = quoted[(end + 2)..];
            int rest = value.IndexOfAnyExcept(Whitespace);
            if (rest >= 0 && value[rest] != ',')
                return false;
        }
        return seen > before && !IsAny;
    }

    /// <summary>Skips whitespace and commas: a list may have empty elements (RFC 9110 §5.6.1).</summary>
    private static bool SkipToTag(ref ReadOnlySpan<byte> value)
    {
        value = value.TrimStart(" \t,"u8);
        return !value.IsEmpty;
    }

    private void Keep(ReadOnlySpan<byte> opaque)
    {
        bool isNumber = Utf8Parser.TryParse(opaque, out ulong tag, out int used) && used == opaque.Length
            && opaque[0] is >= (byte)'1' and <= (byte)'9' && tag <= LogPosition.Greatest;
        if (isNumber)
            BinaryPrimitives.WriteInt64LittleEndian(((Span<byte>)bytes)[(kept++ * Conditions.TagBytes)..], (long)tag);
    }

    [InlineArray(Conditions.TagsMax * Conditions.TagBytes)]
    private struct TagBytes
    {
        private byte first;
    }
}
