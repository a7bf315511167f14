using System.Globalization;
using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// With which data directory each other member was met first: one that comes with another has forgotten what it promised. Lines of
/// text, filled up with zeros to whole blocks. The checksum is CRC-32C of all that stands before its line:
/// <code>
/// RaftFast peers 1
/// met 2 0d9e7f35a1b2c3d4
/// met 3 1c2b3a4d5e6f7081
/// checksum 1a2b3c4d
/// </code>
/// Any thread.
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

    /// <exception cref="StorageException">The file is damaged, or of a later version.</exception>
    public static MetDirectories Open(IDisk disk)
    {
        string[]? lines = File.Read(disk);
        if (lines is null)
            return new MetDirectories(disk, []);
        // A process that was killed between rename and sync has left a name that a power loss would still take away.
        disk.SyncDirectory();
        return new MetDirectories(disk, Parse(lines));
    }

    /// <summary>In ascending order.</summary>
    public ulong[] Members
    {
        get
        {
            lock (gate)
                return [.. met.Keys];
        }
    }

    /// <summary>A first meeting is on stable storage when this returns.</summary>
    /// <returns>False when <paramref name="member"/> was met with another directory.</returns>
    /// <exception cref="DiskFullException">There is no room to remember a first meeting: it has not taken place.</exception>
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

    /// <summary>Those who won't be met again need no room. The file follows at the next first meeting.</summary>
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
            if (!isMeeting || !members.TryAdd(Number(fields[1], NumberStyles.None), Number(fields[2], NumberStyles.AllowHexSpecifier)))
                throw File.Damaged();
        }
        return members;
    }

    private static ulong Number(string text, NumberStyles style) =>
        ulong.TryParse(text, style, CultureInfo.InvariantCulture, out ulong number) ? number : throw File.Damaged();
}
