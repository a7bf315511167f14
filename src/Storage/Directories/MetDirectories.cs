using System.Globalization;
using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// Data directory with which each other member was met. A member that comes with another directory has lost its votes
/// and its log, and is refused. A directory may be replaced if three conditions hold: it was empty when it was met (an
/// unmounted volume), no promise from it was counted here, and the new directory holds promises. An empty directory
/// replaces none: other members may have counted promises from the former directory. The file is lines of text, padded
/// with zeros to whole blocks. A line "seen" is a directory that may be replaced. The checksum is the CRC-32C of all
/// lines before:
/// <code>
/// RaftFast peers 1
/// met 2 0d9e7f35a1b2c3d4
/// seen 3 1c2b3a4d5e6f7081
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

    /// <summary>Replaced as a whole by each change, so that a reader never waits for the disk.</summary>
    private volatile SortedDictionary<ulong, Meeting> met;

    private MetDirectories(IDisk disk, SortedDictionary<ulong, Meeting> met)
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
    public ulong[] Members => [.. met.Keys];

    /// <summary>
    /// True if <see cref="IsAsMet"/> would return true without a write. Never waits.
    /// </summary>
    public bool Knows(ulong member, ulong directory, bool hasPromised) =>
        met.TryGetValue(member, out Meeting known) && known == new Meeting(directory, known.IsKept || hasPromised);

    /// <summary>
    /// Checks that a member has the directory with which it was met. A first meeting is durable when the call returns,
    /// and so is the first promise.
    /// </summary>
    /// <param name="hasPromised">
    /// True if the directory holds promises: it says so, or a vote or an acknowledgement from it is about to be counted
    /// here. Such a directory is never replaced.
    /// </param>
    /// <returns>False if <paramref name="member"/> was met with another directory.</returns>
    /// <exception cref="DiskFullException">There is no room to remember the meeting, which then has not taken place.
    /// </exception>
    public bool IsAsMet(ulong member, ulong directory, bool hasPromised)
    {
        lock (gate)
        {
            bool isMet = met.TryGetValue(member, out Meeting known);
            bool isOther = isMet && known.Directory != directory;
            if (isOther && (known.IsKept || !hasPromised))
                return false;
            Meeting meeting = new(directory, hasPromised || (known.IsKept && !isOther));
            if (isMet && meeting == known)
                return true;
            SortedDictionary<ulong, Meeting> changed = new(met) { [member] = meeting };
            File.Write(disk, Format(changed));
            met = changed;
            return true;
        }
    }

    /// <summary>Forgets members that won't be met again. The file changes only at the next first meeting.</summary>
    public void Forget(IReadOnlyList<ulong> members)
    {
        lock (gate)
        {
            SortedDictionary<ulong, Meeting> fewer = new(met);
            foreach (ulong member in members)
                fewer.Remove(member);
            met = fewer;
        }
    }

    private static string Format(SortedDictionary<ulong, Meeting> members)
    {
        StringBuilder text = new();
        foreach ((ulong member, (ulong directory, bool isKept)) in members)
            text.Append(CultureInfo.InvariantCulture, $"{(isKept ? "met" : "seen")} {member} {directory:x16}\n");
        return text.ToString();
    }

    private static SortedDictionary<ulong, Meeting> Parse(string[] lines)
    {
        SortedDictionary<ulong, Meeting> members = [];
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ');
            bool isMeeting = fields is ["met" or "seen", _, _];
            if (!isMeeting)
                throw File.Damaged();
            ulong member = Number(fields[1], NumberStyles.None);
            ulong directory = Number(fields[2], NumberStyles.AllowHexSpecifier);
            if (!members.TryAdd(member, new Meeting(directory, IsKept: fields[0] == "met")))
                throw File.Damaged();
        }
        return members;
    }

    private static ulong Number(string text, NumberStyles style) =>
        ulong.TryParse(text, style, CultureInfo.InvariantCulture, out ulong number) ? number : throw File.Damaged();

    /// <param name="IsKept">True if no other directory may replace this one.</param>
    private readonly record struct Meeting(ulong Directory, bool IsKept);
}
