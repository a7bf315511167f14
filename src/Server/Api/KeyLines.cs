using System.Buffers;
using System.Buffers.Text;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary>
/// The lines of a page of keys, each a JSON object. No character of these lines needs an escape in JSON.
/// <code>
/// {"key":"/a%2520b","tag":"17","size":3,"value":"YWJj"}
/// {"index":20,"next":"/a%2520b"}
/// </code>
/// </summary>
internal static class KeyLines
{
    /// <summary>Bytes of a value that are encoded at a time: a multiple of 3, so that no padding is between.</summary>
    private const int ValuePiece = 3 * 1024;

    /// <summary>Maximum decimal digits of a number.</summary>
    private const int DigitsMax = 20;

    public static void Write(IBufferWriter<byte> lines, in ListedKey key, bool hasValue)
    {
        WriteEncoded(lines, "{\"key\":\""u8, key.Key);
        WriteNumber(lines, "\",\"tag\":\""u8, key.Tag);
        WriteNumber(lines, "\",\"size\":"u8, key.ValueLength);
        if (!hasValue)
        {
            lines.Write("}\n"u8);
            return;
        }
        lines.Write(",\"value\":\""u8);
        for (ReadOnlySpan<byte> rest = key.Value; !rest.IsEmpty;)
        {
            ReadOnlySpan<byte> piece = rest[..Math.Min(rest.Length, ValuePiece)];
            Base64.EncodeToUtf8(
                piece, lines.GetSpan(Base64.GetMaxEncodedToUtf8Length(piece.Length)), out _, out int written);
            lines.Advance(written);
            rest = rest[piece.Length..];
        }
        lines.Write("\"}\n"u8);
    }

    /// <summary>Writes the last line: the index, and the key after which the list continues.</summary>
    public static void WriteEnd(IBufferWriter<byte> lines, KeyPage page)
    {
        WriteNumber(lines, "{\"index\":"u8, page.Index);
        if (page.HasMore)
        {
            WriteEncoded(lines, ",\"next\":\""u8, page.LastKey);
            lines.Write("\"}\n"u8);
        }
        else
        {
            lines.Write(",\"next\":null}\n"u8);
        }
    }

    private static void WriteEncoded(IBufferWriter<byte> lines, ReadOnlySpan<byte> before, ReadOnlySpan<byte> key)
    {
        Span<byte> text = lines.GetSpan(before.Length + (key.Length * PercentEncoding.Growth));
        before.CopyTo(text);
        lines.Advance(before.Length + PercentEncoding.Encode(key, text[before.Length..]));
    }

    private static void WriteNumber(IBufferWriter<byte> lines, ReadOnlySpan<byte> before, long number)
    {
        Span<byte> text = lines.GetSpan(before.Length + DigitsMax);
        before.CopyTo(text);
        Utf8Formatter.TryFormat(number, text[before.Length..], out int digits);
        lines.Advance(before.Length + digits);
    }
}
