using System.Globalization;

namespace RaftFast.Storage.Snapshots;

/// <summary>File of a complete snapshot. Only reading the file shows that it is intact.</summary>
/// <param name="Index">Index of the last log entry that the snapshot covers.</param>
public readonly record struct SnapshotFile(long Index)
{
    /// <summary>Name of a snapshot that is being taken. After a crash the file is deleted.</summary>
    internal const string NextName = "snapshot-next.tmp";

    /// <summary>Name of a snapshot that is being received. After a crash, receiving continues with the file.</summary>
    internal const string ReceivedName = "snapshot-received.tmp";

    private const string Prefix = "snapshot-";
    private const string Suffix = ".snap";
    private const string DamagedSuffix = ".damaged";
    private const int Digits = 20;

    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Index:d20}{Suffix}");

    internal string DamagedName => Name + DamagedSuffix;

    internal static bool TryParseName(string name, out SnapshotFile file)
    {
        file = default;
        if (name.Length != Prefix.Length + Digits + Suffix.Length)
            return false;
        ReadOnlySpan<char> digits = name.AsSpan(Prefix.Length, Digits);
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long index))
            return false;
        file = new SnapshotFile(index);
        return file.Name == name;
    }
}
