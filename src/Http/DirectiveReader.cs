namespace RaftFast.Http;

/// <summary>
/// Reads the elements of Cache-Control (RFC 9111 §5.2) and Prefer (RFC 7240 §2): names, each with an argument or
/// without, separated by commas. Parameters after a semicolon are skipped.
/// </summary>
internal static class DirectiveReader
{
    /// <param name="rest">The field's value; the read element is removed.</param>
    /// <param name="argument">Text after the equals sign, without quotes; empty if there is none.</param>
    /// <returns>False if there is no further element.</returns>
    public static bool TryRead(
        ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> argument)
    {
        name = argument = default;
        rest = rest.TrimStart(" \t,"u8);
        if (rest.IsEmpty)
            return false;
        int end = LengthTo((byte)',', rest);
        ReadOnlySpan<byte> element = rest[..end];
        rest = rest[end..];
        element = element[..LengthTo((byte)';', element)];
        int equals = element.IndexOf((byte)'=');
        name = (equals < 0 ? element : element[..equals]).Trim(" \t"u8);
        argument = equals < 0 ? default : element[(equals + 1)..].Trim(" \t"u8);
        if (argument.Length >= 2 && argument[0] == '"' && argument[^1] == '"')
            argument = argument[1..^1];
        return true;
    }

    /// <returns>Number of bytes before the separator. A separator inside a quoted string does not count.</returns>
    private static int LengthTo(byte separator, ReadOnlySpan<byte> text)
    {
        bool isQuoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '"')
                isQuoted = !isQuoted;
            else if (text[i] == '\\' && isQuoted)
                i++;
            else if (text[i] == separator && !isQuoted)
                return i;
        }
        return text.Length;
    }
}
