using System.Text;
using System.Text.RegularExpressions;

namespace RaftFast.Server.Tests;

/// <summary>
/// The names in the sources of the tree: files, types, and every identifier in code; and the comments apart from the
/// code.
/// </summary>
internal sealed partial class SourceNames
{
    private readonly Dictionary<string, HashSet<string>> identifiersByType = [];

    /// <summary>Names without folders.</summary>
    public HashSet<string> Files { get; } = [];

    /// <summary>Names of folders, without and with the folders above them.</summary>
    public HashSet<string> Folders { get; } = [];

    public HashSet<string> Identifiers { get; } = [];

    public List<(string File, string Text)> Comments { get; } = [];

    public bool IsType(string name) => identifiersByType.ContainsKey(name);

    /// <summary>True if a file that declares the type has the member's name in its code.</summary>
    public bool HasMember(string type, string member) => identifiersByType[type].Contains(member);

    /// <summary>The folder that holds RaftFast.sln.</summary>
    public static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "RaftFast.sln")))
            folder = folder.Parent;
        return folder!.FullName;
    }

    public static SourceNames Read(string root)
    {
        SourceNames names = new();
        foreach (string file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
        {
            string path = Path.GetRelativePath(root, file).Replace('\\', '/');
            if (BuildOutput.IsMatch(path))
                continue;
            names.Files.Add(Path.GetFileName(path));
            for (string? folder = Path.GetDirectoryName(path);
                !string.IsNullOrEmpty(folder);
                folder = Path.GetDirectoryName(folder))
            {
                names.Folders.Add(folder);
                names.Folders.Add(Path.GetFileName(folder));
            }
            if (path.EndsWith(".cs", StringComparison.Ordinal))
                names.Add(path, File.ReadAllText(file));
        }
        return names;
    }

    private void Add(string path, string source)
    {
        (string code, string comments) = Split(source);
        Comments.Add((path, comments));
        HashSet<string> identifiers =
            [.. Identifier.Matches(StringLiteral.Replace(code, "")).Select(match => match.Value)];
        Identifiers.UnionWith(identifiers);
        foreach (Match declaration in Declaration.Matches(code))
        {
            if (!identifiersByType.TryAdd(declaration.Groups[1].Value, [.. identifiers]))
                identifiersByType[declaration.Groups[1].Value].UnionWith(identifiers);
        }
    }

    /// <summary>
    /// Separates comments from code line by line; a // within a string counts as code if a quotation mark stands before
    /// it.
    /// </summary>
    private static (string Code, string Comments) Split(string source)
    {
        StringBuilder code = new();
        StringBuilder comments = new();
        foreach (string line in source.Split('\n'))
        {
            int comment = line.IndexOf("//", StringComparison.Ordinal);
            bool isComment = comment >= 0 && !line[..comment].Contains('"');
            code.AppendLine(isComment ? line[..comment] : line);
            if (isComment)
                comments.AppendLine(line[comment..]);
        }
        return (code.ToString(), comments.ToString());
    }

    [GeneratedRegex(@"(^|/)(bin|obj|out|\.git|\.cluster|BenchmarkDotNet\.Artifacts)/")]
    private static partial Regex BuildOutput { get; }

    [GeneratedRegex(@"""(?:\\.|[^""\\\n])*""")]
    private static partial Regex StringLiteral { get; }

    [GeneratedRegex(@"\b[A-Za-z_]\w*\b")]
    private static partial Regex Identifier { get; }

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum)\s+([A-Z]\w*)")]
    private static partial Regex Declaration { get; }
}
