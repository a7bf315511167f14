using System.Globalization;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Storage;

/// <summary>
/// A node's identity as lines of text, filled up with zeros to whole blocks. The checksum is CRC-32C of all that stands before its line:
/// <code>
/// RaftFast identity 2
/// member 1
/// cluster 5f0c3b6a9d2e4817
/// directory 0d9e7f35a1b2c3d4
/// listens http://127.0.0.1:9021
/// address 1 http://127.0.0.1:9021
/// address 2 http://127.0.0.1:9022
/// checksum 1a2b3c4d
/// </code>
/// </summary>
public static class IdentityFile
{
    public const string Name = "identity";

    /// <summary>Version of the format.</summary>
    public const string FormatVersion = Version;

    internal const string TemporaryName = "identity.tmp";

    /// <summary>Who this directory will be once a restore is complete. Until then it is nobody's.</summary>
    internal const string RestoringName = "identity-restoring";

    private const string Title = "RaftFast identity ";
    private const string Version = "2";

    /// <summary>Bytes. An address is at most a few hundred; nobody's cluster comes near.</summary>
    private const int LengthMax = 1 << 20;

    /// <returns>Null when there is none.</returns>
    /// <exception cref="StorageException">It is damaged, or of a later version.</exception>
    public static NodeIdentity? Read(IDisk disk)
    {
        if (!disk.Exists(Name))
            return null;
        using IDiskFile file = disk.Open(Name);
        using AlignedMemory memory = new(LengthMax);
        ReadOnlySpan<byte> bytes = memory.Span[..file.Read(0, memory.Span)];
        int end = bytes.IndexOf((byte)0);
        return Parse(Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]));
    }

    /// <summary>Durable when it returns; a crash leaves all of it or nothing.</summary>
    public static void Write(IDisk disk, NodeIdentity identity) => Write(disk, identity, Name);

    internal static void Write(IDisk disk, NodeIdentity identity, string name)
    {
        Invariant.Hold(!disk.Exists(Name));
        byte[] text = Encoding.UTF8.GetBytes(Format(identity));
        Invariant.Hold(text.Length <= LengthMax);
        using AlignedMemory memory = new(AlignedMemory.RoundUp(text.Length));
        memory.Span.Clear();
        text.CopyTo(memory.Span);
        if (disk.Exists(TemporaryName))
            disk.Delete(TemporaryName);
        try
        {
            using IDiskFile file = disk.Create(TemporaryName, memory.Length);
            file.Write(0, memory.Span);
        }
        catch (DiskFullException full)
        {
            throw new StorageException($"{full.Message}; free some space, then start again", full);
        }
        disk.Rename(TemporaryName, name);
        disk.SyncDirectory();
    }

    private static string Format(NodeIdentity identity)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{Title}{Version}\nmember {identity.MemberId}\n");
        text.Append(CultureInfo.InvariantCulture, $"cluster {identity.Configuration.ClusterId:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"directory {identity.Directory:x16}\nlistens {identity.Address}\n");
        foreach (Member member in identity.Configuration.Members)
            text.Append(CultureInfo.InvariantCulture, $"address {member.Id} {member.Address}\n");
        string body = text.ToString();
        return $"{body}checksum {Checksum(body):x8}\n";
    }

    private static NodeIdentity Parse(string text)
    {
        int last = text.LastIndexOf("checksum ", StringComparison.Ordinal);
        if (last < 0 || text[last..] != $"checksum {Checksum(text[..last]):x8}\n")
            throw Damaged();
        string[] lines = text[..last].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length > 0 && lines[0].StartsWith(Title, StringComparison.Ordinal) && lines[0] != Title + Version)
            throw new StorageException($"{Name} has format {lines[0][Title.Length..]}, and this program knows {Version} only; start the program that wrote it");
        if (lines.Length < 5 || lines[0] != Title + Version)
            throw Damaged();
        ulong member = Number(Field(lines[1], "member "), NumberStyles.None);
        ulong cluster = Number(Field(lines[2], "cluster "), NumberStyles.AllowHexSpecifier);
        ulong directory = Number(Field(lines[3], "directory "), NumberStyles.AllowHexSpecifier);
        PeerAddress listens = PeerAddress.TryParse(Field(lines[4], "listens "), out _) ?? throw Damaged();
        Member[] members = new Member[lines.Length - 5];
        for (int i = 0; i < members.Length; i++)
        {
            string[] field = Field(lines[i + 5], "address ").Split(' ', 2);
            PeerAddress? address = field.Length == 2 ? PeerAddress.TryParse(field[1], out _) : null;
            ulong id = Number(field[0], NumberStyles.None);
            if (address is null || id <= (i == 0 ? 0 : members[i - 1].Id))
                throw Damaged();
            members[i] = new Member(id, address);
        }
        return new NodeIdentity(member, listens, directory, new ClusterConfiguration(cluster, members));
    }

    private static string Field(string line, string name) =>
        line.StartsWith(name, StringComparison.Ordinal) ? line[name.Length..] : throw Damaged();

    private static ulong Number(string text, NumberStyles style) =>
        ulong.TryParse(text, style, CultureInfo.InvariantCulture, out ulong number) ? number : throw Damaged();

    private static uint Checksum(string text) => Crc32C.Compute(Encoding.UTF8.GetBytes(text));

    private static StorageException Damaged() => StorageException.Unusable(Name, "is damaged");
}
