using System.Globalization;
using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>Identity of a data directory, from <c>--id</c> and <c>--cluster</c> when the directory was empty.</summary>
/// <param name="Address">Address where this node listens for peers, unless the log names another.</param>
/// <param name="Directory">
/// Random number drawn when the directory was made; distinguishes the directory from another of the same member.
/// </param>
/// <param name="Configuration">Configuration before the log's first entry; without members if the node joined.</param>
public sealed record NodeIdentity(
    ulong MemberId, PeerAddress Address, ulong Directory, ClusterConfiguration Configuration);

/// <summary>
/// File of a node's identity: lines of text, padded with zeros to whole blocks. The checksum is the CRC-32C of all
/// lines before:
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

    /// <summary>Version of the format of the file.</summary>
    public const string FormatVersion = "2";

    internal const string TemporaryName = "identity.tmp";

    /// <summary>Name of the identity file until a restore is complete.</summary>
    internal const string RestoringName = "identity-restoring";

    private static readonly ChecksummedText File = new(Name, TemporaryName, "RaftFast identity", FormatVersion);

    /// <returns>Null if there is no identity file.</returns>
    /// <exception cref="StorageException">The file is damaged, or of another version.</exception>
    public static NodeIdentity? Read(IDisk disk) => File.Read(disk) is { } lines ? Parse(lines) : null;

    /// <summary>
    /// Writes the file, which is durable when the call returns. A crash leaves the whole file or none.
    /// </summary>
    public static void Write(IDisk disk, NodeIdentity identity) => Write(disk, identity, Name);

    internal static void Write(IDisk disk, NodeIdentity identity, string name)
    {
        Invariant.Hold(!disk.Exists(Name));
        try
        {
            File.Write(disk, Format(identity), name);
        }
        catch (DiskFullException full)
        {
            throw new StorageException($"{full.Message}; free some space, then start again", full);
        }
    }

    private static string Format(NodeIdentity identity)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"member {identity.MemberId}\n");
        text.Append(CultureInfo.InvariantCulture, $"cluster {identity.Configuration.ClusterId:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"directory {identity.Directory:x16}\nlistens {identity.Address}\n");
        foreach (Member member in identity.Configuration.Members)
            text.Append(CultureInfo.InvariantCulture, $"address {member.Id} {member.Address}\n");
        return text.ToString();
    }

    private static NodeIdentity Parse(string[] lines)
    {
        if (lines.Length < 4)
            throw File.Damaged();
        ulong member = Number(Field(lines[0], "member "), NumberStyles.None);
        ulong cluster = Number(Field(lines[1], "cluster "), NumberStyles.AllowHexSpecifier);
        ulong directory = Number(Field(lines[2], "directory "), NumberStyles.AllowHexSpecifier);
        PeerAddress listens = PeerAddress.TryParse(Field(lines[3], "listens "), out _) ?? throw File.Damaged();
        Member[] members = new Member[lines.Length - 4];
        for (int i = 0; i < members.Length; i++)
        {
            string[] field = Field(lines[i + 4], "address ").Split(' ', 2);
            PeerAddress? address = field.Length == 2 ? PeerAddress.TryParse(field[1], out _) : null;
            ulong id = Number(field[0], NumberStyles.None);
            if (address is null || id <= (i == 0 ? 0 : members[i - 1].Id))
                throw File.Damaged();
            members[i] = new Member(id, address);
        }
        return new NodeIdentity(member, listens, directory, new ClusterConfiguration(cluster, members));
    }

    private static string Field(string line, string name) =>
        line.StartsWith(name, StringComparison.Ordinal) ? line[name.Length..] : throw File.Damaged();

    private static ulong Number(string text, NumberStyles style) =>
        ulong.TryParse(text, style, CultureInfo.InvariantCulture, out ulong number) ? number : throw File.Damaged();
}
