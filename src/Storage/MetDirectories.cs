using System.Globalization;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Storage;

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

    private const string Title = "RaftFast peers ";
    private const string Version = "1";

    /// <summary>Bytes: some 25,000 members.</summary>
    private const int LengthMax = 1 << 20;

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
        if (!disk.Exists(Name))
            return new MetDirectories(disk, []);
        using IDiskFile file = disk.Open(Name);
        using AlignedMemory memory = new(LengthMax);
        ReadOnlySpan<byte> bytes = memory.Span[..file.Read(0, memory.Span)];
        // A process that was killed between rename and sync has left a name that a power loss would still take away.
        disk.SyncDirectory();
        int end = bytes.IndexOf((byte)0);
        return new MetDirectories(disk, Parse(Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end])));
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
            Write(more);
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

    private void Write(SortedDictionary<ulong, ulong> members)
    {
        byte[] text = Encoding.UTF8.GetBytes(Format(members));
        Invariant.Hold(text.Length <= LengthMax);
        using AlignedMemory memory = new(AlignedMemory.RoundUp(text.Length));
        memory.Span.Clear();
        text.CopyTo(memory.Span);
        if (disk.Exists(TemporaryName))
            disk.Delete(TemporaryName);
        using (IDiskFile file = disk.Create(TemporaryName, memory.Length))
            file.Write(0, memory.Span);
        disk.Rename(TemporaryName, Name);
        disk.SyncDirectory();
    }

    private static string Format(SortedDictionary<ulong, ulong> members)
    {
        StringBuilder text = new($"{Title}{Version}\n");
        foreach ((ulong member, ulong directory) in members)
            text.Append(CultureInfo.InvariantCulture, $"met {member} {directory:x16}\n");
        string body = text.ToString();
        return $"{body}checksum {Checksum(body):x8}\n";
    }

    private static SortedDictionary<ulong, ulong> Parse(string text)
    {
        int last = text.LastIndexOf("checksum ", StringComparison.Ordinal);
        if (last < 0 || text[last..] != $"checksum {Checksum(text[..last]):x8}\n")
            throw Damaged();
        string[] lines = text[..last].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length > 0 && lines[0].StartsWith(Title, StringComparison.Ordinal) && lines[0] != Title + Version)
            throw new StorageException($"{Name} has format {lines[0][Title.Length..]}, and this program knows {Version} only; start the program that wrote it");
        if (lines.Length == 0 || lines[0] != Title + Version)
            throw Damaged();
        SortedDictionary<ulong, ulong> members = [];
        foreach (string line in lines.AsSpan(1))
        {
            string[] fields = line.Split(' ');
            bool isMeeting = fields.Length == 3 && fields[0] == "met";
            if (!isMeeting || !members.TryAdd(Number(fields[1], NumberStyles.None), Number(fields[2], NumberStyles.AllowHexSpecifier)))
                throw Damaged();
        }
        return members;
    }

    private static ulong Number(string text, NumberStyles style) =>
        ulong.TryParse(text, style, CultureInfo.InvariantCulture, out ulong number) ? number : throw Damaged();

    private static uint Checksum(string text) => Crc32C.Compute(Encoding.UTF8.GetBytes(text));

    private static StorageException Damaged() => StorageException.Unusable(Name, "is damaged");
}
