namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// Files of a directory at one moment, without the zeros at their ends: log segments are preallocated.
/// </summary>
internal sealed class DirectoryImage
{
    /// <summary>Contains the id of the last process that locked the directory, and no data.</summary>
    private const string LockFile = "lock";

    private readonly SortedDictionary<string, (byte[] Bytes, long Length)> files;

    private DirectoryImage(SortedDictionary<string, (byte[] Bytes, long Length)> files) => this.files = files;

    public IEnumerable<string> Names => files.Keys;

    public static DirectoryImage Of(string directory)
    {
        SortedDictionary<string, (byte[] Bytes, long Length)> files = new(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(directory))
        {
            if (Path.GetFileName(path) == LockFile)
                continue;
            byte[] content = File.ReadAllBytes(path);
            int used = content.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
            files.Add(Path.GetFileName(path), (content[..used], content.Length));
        }
        return new DirectoryImage(files);
    }

    public ReadOnlySpan<byte> BytesOf(string name) => files[name].Bytes;

    public DirectoryImage WithFlippedBit(string name, int offset)
    {
        byte[] bytes = [.. files[name].Bytes];
        bytes[offset] ^= 0x10;
        return With(name, bytes, files[name].Length);
    }

    public DirectoryImage TruncatedAt(string name, int length) =>
        With(name, files[name].Bytes[..Math.Min(length, files[name].Bytes.Length)], length);

    public DirectoryImage ZeroedFrom(string name, int offset) => With(
        name, files[name].Bytes[..offset], files[name].Length);

    public void Restore(string directory)
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Directory.CreateDirectory(directory);
        foreach ((string name, (byte[] bytes, long length)) in files)
        {
            using FileStream file = File.Create(Path.Combine(directory, name));
            file.Write(bytes);
            file.SetLength(length);
        }
    }

    public bool IsSameAs(DirectoryImage other) =>
        files.Count == other.files.Count
        && files.Zip(other.files).All(pair =>
            pair.First.Key == pair.Second.Key
            && pair.First.Value.Length == pair.Second.Value.Length
            && pair.First.Value.Bytes.AsSpan().SequenceEqual(pair.Second.Value.Bytes));

    private DirectoryImage With(string name, byte[] bytes, long length) =>
        new(new(files, StringComparer.Ordinal) { [name] = (bytes, length) });
}
