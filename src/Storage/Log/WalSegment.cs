using System.Globalization;

namespace RaftFast.Storage.Log;

/// <summary>Name and maximum size of a segment's file.</summary>
internal static class WalSegment
{
    /// <summary>
    /// Name of the file that becomes the next segment. A start uses the file that the last process has prepared.
    /// </summary>
    public const string NextName = "wal-next.tmp";

    /// <summary>
    /// Maximum bytes of a segment. Offsets in a segment are 32 bits, and recovery holds one segment in memory.
    /// </summary>
    public const int BytesMax = 1 << 30;

    private const string Prefix = "wal-";
    private const string Suffix = ".log";
    private const int Digits = 16;

    public static string Name(long segment) => $"{Prefix}{segment:x16}{Suffix}";

    public static bool TryParseName(string name, out long segment)
    {
        segment = 0;
        return name.Length == Prefix.Length + Digits + Suffix.Length
            && name.StartsWith(Prefix, StringComparison.Ordinal)
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(
                name.AsSpan(Prefix.Length, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out segment)
            && Name(segment) == name;
    }
}
