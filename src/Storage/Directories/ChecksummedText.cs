using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// A small file of text lines, padded with zeros to whole blocks. The first line is a title and a format version. The
/// last line is the CRC-32C of all lines before. The file is written under a temporary name, so that a crash leaves the
/// old file or the new one.
/// </summary>
internal sealed class ChecksummedText(string name, string temporaryName, string title, string version)
{
    /// <summary>Maximum length in bytes, far more than any file of this kind has.</summary>
    private const int LengthMax = 1 << 20;

    /// <returns>Lines between the first and the last; null if the file does not exist.</returns>
    /// <exception cref="StorageException">The file is damaged, or of another version.</exception>
    public string[]? Read(IDisk disk)
    {
        if (!disk.Exists(name))
            return null;
        using IDiskFile file = disk.Open(name);
        using AlignedMemory memory = new(LengthMax);
        ReadOnlySpan<byte> bytes = memory.Span[..file.Read(0, memory.Span)];
        int end = bytes.IndexOf((byte)0);
        return Parse(Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]));
    }

    /// <param name="lines">Lines of text, each with its line end.</param>
    /// <param name="destination">Name of the new file; null for the usual name.</param>
    /// <exception cref="DiskFullException">The disk has no room. No file has changed.</exception>
    public void Write(IDisk disk, string lines, string? destination = null)
    {
        string body = $"{title} {version}\n{lines}";
        byte[] text = Encoding.UTF8.GetBytes($"{body}checksum {Checksum(body):x8}\n");
        Invariant.Hold(text.Length <= LengthMax);
        using AlignedMemory memory = new(AlignedMemory.RoundUp(text.Length));
        memory.Span.Clear();
        text.CopyTo(memory.Span);
        if (disk.Exists(temporaryName))
            disk.Delete(temporaryName);
        using (IDiskFile file = disk.Create(temporaryName, memory.Length))
            file.Write(0, memory.Span);
        Rename(disk, destination ?? name);
        disk.SyncDirectory();
    }

    public StorageException Damaged() => StorageException.Unusable(name, "is damaged");

    private void Rename(IDisk disk, string destination)
    {
        try
        {
            disk.Rename(temporaryName, destination);
        }
        catch (StorageException full) when (full.IsDiskFull)
        {
            throw new DiskFullException(full.Message, full);
        }
    }

    private string[] Parse(string text)
    {
        int last = text.LastIndexOf("checksum ", StringComparison.Ordinal);
        if (last < 0 || text[last..] != $"checksum {Checksum(text[..last]):x8}\n")
            throw Damaged();
        string[] lines = text[..last].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || !lines[0].StartsWith($"{title} ", StringComparison.Ordinal))
            throw Damaged();
        if (lines[0] != $"{title} {version}")
        {
            throw new StorageException(
                $"{name} has format {lines[0][(title.Length + 1)..]}, and this program knows {version} only; "
                + "start the program that wrote it");
        }
        return lines[1..];
    }

    private static uint Checksum(string text) => Crc32C.Compute(Encoding.UTF8.GetBytes(text));
}
