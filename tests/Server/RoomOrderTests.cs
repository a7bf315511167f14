using System.Text.RegularExpressions;

namespace RaftFast.Server.Tests;

/// <summary>
/// The rooms of src/Server and src/Storage, in the order that docs/ARCHITECTURE.md gives: a file uses only its own room and the rooms
/// below it.
/// </summary>
public sealed partial class RoomOrderTests
{
    private static readonly string Root = SourceNames.FindRoot();

    private static readonly List<string> Rooms = ReadRooms();

    [Fact]
    public void Every_folder_is_a_room_of_the_map()
    {
        foreach (string project in new[] { "src/Server", "src/Storage" })
        {
            foreach (string folder in Directory.EnumerateDirectories(Path.Combine(Root, project), "*", SearchOption.AllDirectories))
            {
                string room = RoomOf(Path.GetRelativePath(Root, folder).Replace('\\', '/'));
                if (Directory.EnumerateFiles(folder, "*.cs").Any() && !BuildOutput.IsMatch(folder))
                    Assert.Contains(room, Rooms);
            }
        }
    }

    [Fact]
    public void Namespace_of_a_file_is_its_folder()
    {
        foreach ((string path, string text) in Sources())
        {
            string folder = Path.GetDirectoryName(path)!.Replace('\\', '/');
            string expected = "RaftFast." + folder["src/".Length..].Replace('/', '.');
            Assert.True(Namespace.Match(text).Groups[1].Value == expected, $"{path} should have the namespace {expected}");
        }
    }

    [Fact]
    public void Room_uses_only_rooms_below_it()
    {
        List<string> upward = [];
        foreach ((string path, string text) in Sources())
        {
            int own = Rooms.IndexOf(RoomOf(Path.GetDirectoryName(path)!.Replace('\\', '/')));
            foreach (Match use in Use.Matches(text))
            {
                string used = RoomOf("src/" + use.Groups[1].Value.Replace('.', '/'));
                int rank = Rooms.IndexOf(used);
                if (rank >= 0 && rank < own && SameProject(used, Rooms[own]))
                    upward.Add($"{path} uses {used}, which stands above it");
            }
        }
        Assert.True(upward.Count == 0, string.Join('\n', upward));
    }

    private static bool SameProject(string a, string b) => a.Split('/')[1] == b.Split('/')[1];

    /// <summary>The folders inside Node are one room.</summary>
    private static string RoomOf(string folder) =>
        folder.StartsWith("src/Server/Node/", StringComparison.Ordinal) ? "src/Server/Node" : folder;

    private static IEnumerable<(string Path, string Text)> Sources()
    {
        foreach (string project in new[] { "src/Server", "src/Storage" })
        {
            foreach (string file in Directory.EnumerateFiles(Path.Combine(Root, project), "*.cs", SearchOption.AllDirectories))
            {
                if (!BuildOutput.IsMatch(file))
                    yield return (Path.GetRelativePath(Root, file).Replace('\\', '/'), File.ReadAllText(file));
            }
        }
    }

    /// <summary>Reads the block ```rooms: two spaces of indentation a level, the name up to the first space.</summary>
    private static List<string> ReadRooms()
    {
        string block = Block.Match(File.ReadAllText(Path.Combine(Root, "docs", "ARCHITECTURE.md"))).Groups[1].Value;
        List<string> rooms = [];
        List<string> path = [];
        foreach (string line in block.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            int level = (line.Length - line.TrimStart().Length) / 2;
            path.RemoveRange(level, path.Count - level);
            path.Add(line.Trim().Split(' ')[0]);
            rooms.Add(string.Join('/', path));
        }
        Assert.True(rooms.Count > 15, "docs/ARCHITECTURE.md has no block of rooms");
        return rooms;
    }

    [GeneratedRegex("^```rooms\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block { get; }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace { get; }

    [GeneratedRegex(@"^using RaftFast\.((?:Server|Storage)[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex Use { get; }

    [GeneratedRegex(@"[/\\](bin|obj)([/\\]|$)")]
    private static partial Regex BuildOutput { get; }
}
