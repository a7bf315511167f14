using System.Text.RegularExpressions;

namespace RaftFast.Server.Tests;

/// <summary>
/// The rooms of src/Server and src/Storage, as the block "rooms" in docs/ARCHITECTURE.md lists them. A room uses only
/// rooms that stand below it in the list.
/// </summary>
public sealed partial class RoomOrderTests
{
    private static readonly List<Room> Rooms = ReadRooms();

    [Fact]
    public void Every_file_has_the_namespace_of_its_folder()
    {
        List<string> wrong = [];
        foreach (SourceFile file in SourceFiles())
        {
            string actual = Namespaces().Match(file.Text).Groups[1].Value;
            if (actual != file.Namespace)
                wrong.Add($"{file.Path} has the namespace {actual}, not {file.Namespace}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_file_uses_only_rooms_below_its_own()
    {
        List<string> wrong = [];
        foreach (SourceFile file in SourceFiles())
        {
            int own = PlaceOf(file.Namespace);
            foreach (Match used in Usings().Matches(file.Text))
            {
                int place = PlaceOf(used.Groups[1].Value);
                if (place >= 0 && place < own && Rooms[place].Project == Rooms[own].Project)
                    wrong.Add($"{file.Path} uses {used.Groups[1].Value}, which does not stand below its room");
            }
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_folder_is_listed_as_a_room_and_every_room_is_a_folder()
    {
        SortedSet<string> folders = [];
        foreach (SourceFile file in SourceFiles())
            folders.Add(file.Namespace);

        Assert.Equal(folders, new SortedSet<string>(Rooms.Select(room => room.Namespace)));
    }

    /// <summary>
    /// Each line is a room, indented by two spaces more than the folder around it: its name, then its purpose.
    /// </summary>
    private static List<Room> ReadRooms()
    {
        string document = File.ReadAllText(Repository.PathOf("docs", "ARCHITECTURE.md"));
        string[] lines = Block().Match(document).Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        List<Room> rooms = [];
        List<string> path = [];
        foreach (string line in lines)
        {
            int depth = (line.Length - line.TrimStart(' ').Length) / 2;
            path.RemoveRange(depth, path.Count - depth);
            path.Add(line.Trim().Split(' ')[0]);
            bool isFileOfProject = path[^1] == "Program.cs";
            if (depth > 0)
                rooms.Add(new Room(path[0], NamespaceOf(string.Join('/', isFileOfProject ? path[..^1] : path))));
        }
        return rooms;
    }

    /// <summary>Place in the list of the room that a namespace or type belongs to; -1 if it belongs to none.</summary>
    private static int PlaceOf(string name)
    {
        int place = Rooms.FindIndex(room => room.Namespace == name);
        int end = name.LastIndexOf('.');
        return place >= 0 || end < 0 ? place : PlaceOf(name[..end]);
    }

    private static IEnumerable<SourceFile> SourceFiles()
    {
        foreach (string project in Rooms.Select(room => room.Project).Distinct())
        {
            string root = Repository.PathOf(project);
            foreach (string file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
            {
                string path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/');
                string expected = NamespaceOf(path[..path.LastIndexOf('/')]);
                if (!path.Split('/').Any(folder => folder is "bin" or "obj"))
                    yield return new SourceFile(path, expected, File.ReadAllText(file));
            }
        }
    }

    private static string NamespaceOf(string folder) => "RaftFast." + folder["src/".Length..].Replace('/', '.');

    [GeneratedRegex("^```rooms\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespaces();

    [GeneratedRegex(@"^using (?:static |\w+ = )?(RaftFast\.[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Usings();

    private readonly record struct Room(string Project, string Namespace);

    private readonly record struct SourceFile(string Path, string Namespace, string Text);
}
