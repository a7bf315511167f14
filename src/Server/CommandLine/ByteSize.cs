using System.Globalization;

namespace RaftFast.Server.CommandLine;

/// <summary>Number of bytes in text: a whole number followed by KiB, MiB or GiB (IEC 80000-13).</summary>
internal static class ByteSize
{
    public const long Mebibyte = 1 << 20;

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        int shift = text.Length < 3 ? 0 : text[^3..] switch
        {
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => 0,
        };
        if (shift == 0)
            return false;
        ReadOnlySpan<char> digits = text.AsSpan(0, text.Length - 3);
        if (!uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
            return false;
        bytes = (long)number << shift;
        return true;
    }
}
