using System.Buffers;

namespace RaftFast.Server.Api;

/// <summary>
/// Bytes as a part of a query (RFC 3986 §2.1), which needs no escape in a JSON string. A '%' is encoded like any other
/// byte, so decoding gives the same bytes again.
/// </summary>
internal static class PercentEncoding
{
    /// <summary>Maximum bytes of text for each byte.</summary>
    public const int Growth = 3;

    private static readonly SearchValues<byte> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:@!$*(),;=?"u8);

    /// <param name="text">At least <see cref="Growth"/> times as long as <paramref name="bytes"/>.</param>
    /// <returns>Bytes written.</returns>
    public static int Encode(ReadOnlySpan<byte> bytes, Span<byte> text)
    {
        int written = 0;
        while (!bytes.IsEmpty)
        {
            int plain = bytes.IndexOfAnyExcept(Plain);
            if (plain < 0)
                plain = bytes.Length;
            bytes[..plain].CopyTo(text[written..]);
            written += plain;
            bytes = bytes[plain..];
            if (bytes.IsEmpty)
                break;
            text[written++] = (byte)'%';
            text[written++] = Digit(bytes[0] >> 4);
            text[written++] = Digit(bytes[0] & 15);
            bytes = bytes[1..];
        }
        return written;
    }

    /// <returns>Null if the text has a '%' without two hexadecimal digits, or a character that is not ASCII.</returns>
    public static byte[]? TryDecode(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[text.Length];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsAscii(text[i]))
                return null;
            bytes[length++] = (byte)text[i];
            if (text[i] != '%')
                continue;
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                return null;
            bytes[length - 1] = Convert.FromHexString(text.Slice(i + 1, 2))[0];
            i += 2;
        }
        return bytes[..length];
    }

    private static byte Digit(int value) => (byte)(value < 10 ? '0' + value : 'A' + value - 10);
}
