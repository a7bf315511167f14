using System.Globalization;
using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// Data directory with which each other member was first met. A member that comes with another directory has lost its
/// votes and its log, and is refused. The file is lines of text, padded with zeros to whole blocks. The checksum is the
/// CRC-32C of all lines before:
/// <code>
/// RaftFast peers 1
/// met 2 0d9e7f35a1b2c3d4
/// met 3 1c2b3a4d5e6f7081
/// checksum 1a2b3c4d
/// </code>
/// Any thread may call.
/// </summary>
public sealed class MetDirectories
{
    public const string Name = "peers";

    internal const string TemporaryName = "peers.tmp";

    private static readonly ChecksummedText File = new(Name, TemporaryName, "RaftFast peers", "1");

    private readonly Lock gate = new();
    private readonly IDisk disk;
    private SortedDictionary<ulong, ulong> met;

    private MetDirectories(IDisk disk, SortedDictionary<ulong, ulong> met)
    {
        this.disk = disk;
        this.met = met;
    }

    /// <exception cref="StorageException">The file is damaged, or of another version.</exception>
    public static MetDirectories Open(IDisk disk)
    {
        string[]? lines = File.Read(disk);
        if (lines is null)
            return new MetDirectories(disk, []);
        // If the previous process was killed between rename and sync, a power loss could still undo the rename.
        disk.SyncDirectory();
        return new MetDirectories(disk, Parse(lines));
    }

    /// <summary>Ids of the members met, in ascending order.</summary>
    public ulong[] Members
    {
        get
        {
            lock (gate)
                return [.. met.Keys];
        }
    }

    /// <summary>
    /// Checks that a member has the directory with which it was first met. A first meeting is durable when the call
    /// returns.
    /// </summary>
    /// <returns>False if <paramref name="member"/> was met with another directory.</returns>
    /// <exception cref="DiskFullException">There is no room to remember a first meeting, which then has not taken
    /// place.</exception>
    public bool IsAsMet(ulong member, ulong directory)
    {
        lock (gate)
        {
            if (met.TryGetValue(member, out ulong known))
                return known == directory;
            SortedDictionary<ulong, ulong> more = new(met) { { member, directory } };
            File.Write(disk, Format(more));
            met = more;
            return true;
        }
    }

    /// <summary>Forgets members that won't be met again. The file changes only at the next first meeting.</summary>
    public void Forget(IReadOnlyList<ulong> members)
    {
        lock (gate)
        {
            foreach (ulong member in members)
                met.Remove(member);
        }
    }

    private static string Format(SortedDictionary<ulong, ulong> members)
    {
        StringBuilder text = new();
        foreach ((ulong member, ulong directory) in members)
            text.Append(CultureInfo.InvariantCulture, $"met {member} {directory:x16}\n");
        return text.ToString();
    }

    private static SortedDictionary<ulong, ulong> Parse(string[] lines)
    {
        SortedDictionary<ulong, ulong> members = [];
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ');
            bool isMeeting = fields.Length == 3 && fields[0] == "met";
            if (!isMeeting)
                throw File.Damaged();
            ulong member = Number(fields[1], NumberStyles.None);
            if (!members.TryAdd(member, Number(fields[2], NumberStyles.AllowHexSpecifier)))
                throw File.Damaged();
        }
        return members;
    }

    private static ulong Number(string text, NumberStyles style) =>
        ulong.TryParse(text, style, CultureInfo.InvariantCulture, out ulong number) ? number : throw File.Damaged();
}
