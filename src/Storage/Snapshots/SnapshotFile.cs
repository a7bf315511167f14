using System.Globalization;

namespace RaftFast.Storage.Snapshots;

/// <summary>A complete snapshot, by its name. Whether it is intact shows when it is read.</summary>
/// <param name="Index">Of the last log entry that it covers.</param>
public readonly record struct SnapshotFile(long Index)
{
    /// <summary>A snapshot that is being taken. What a crash leaves of it is deleted.</summary>
    internal const string NextName = "snapshot-next.tmp";

    /// <summary>A snapshot that is being received. What a crash leaves of it is gone on with.</summary>
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
        if (!long.TryParse(name.AsSpan(Prefix.Length, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out long index))
            return false;
        file = new SnapshotFile(index);
        return file.Name == name;
    }
}
