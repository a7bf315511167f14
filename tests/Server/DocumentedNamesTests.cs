using System.Text.RegularExpressions;

namespace RaftFast.Server.Tests;

/// <summary>Every file and every name of the code that a document or a comment mentions exists.</summary>
public sealed partial class DocumentedNamesTests
{
    private static readonly string Root = SourceNames.FindRoot();

    /// <summary>
    /// Names that documents mention and that are not this project's: units, and names of the framework.
    /// </summary>
    private static readonly HashSet<string> Elsewhere =
    [
        "KiB", "MiB", "GiB", "WebApplication.CreateSlimBuilder", "KestrelServer", "SocketConnectionContextFactory",
    ];

    private readonly SourceNames names = SourceNames.Read(Root);

    [Fact]
    public void Documents_mention_files_and_names_that_exist()
    {
        List<string> unknown = [];
        foreach (string document in Documents())
        {
            foreach (string mention in Mentions(File.ReadAllText(document)))
            {
                if (!IsKnown(mention))
                    unknown.Add($"{Path.GetRelativePath(Root, document)}: {mention}");
            }
        }
        Assert.True(unknown.Count == 0, string.Join('\n', unknown));
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        List<string> broken = [];
        foreach (string document in Documents())
        {
            foreach (Match link in Link.Matches(File.ReadAllText(document)))
            {
                string target = link.Groups[1].Value.Split('#')[0];
                if (target.Length > 0 && !target.Contains("://")
                    && !Path.Exists(Path.Combine(Path.GetDirectoryName(document)!, target)))
                    broken.Add($"{Path.GetRelativePath(Root, document)}: {target}");
            }
        }
        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }

    [Fact]
    public void Comments_mention_files_and_members_that_exist()
    {
        List<string> unknown = [];
        foreach ((string file, string comments) in names.Comments)
        {
            foreach (Match mention in FileName.Matches(comments))
            {
                if (!names.Files.Contains(mention.Value))
                    unknown.Add($"{file}: {mention.Value}");
            }
            foreach (Match mention in Member.Matches(comments))
            {
                // Not one of our types: the framework's, or an abbreviation.
                if (names.IsType(mention.Groups[1].Value)
                    && !names.IsType(mention.Groups[2].Value)
                    && !names.HasMember(mention.Groups[1].Value, mention.Groups[2].Value))
                    unknown.Add($"{file}: {mention.Value}");
            }
        }
        Assert.True(unknown.Count == 0, string.Join('\n', unknown));
    }

    [Theory]
    [InlineData("`NoSuchType`", "NoSuchType")]
    [InlineData("`RaftCore.NoSuchMember`", "RaftCore.NoSuchMember")]
    [InlineData("`src/Nowhere`", "src/Nowhere")]
    [InlineData("`NoSuchFile.cs`", "NoSuchFile.cs")]
    public void A_name_that_does_not_exist_is_found(string text, string mention)
    {
        Assert.Equal([mention], Mentions(text));
        Assert.False(IsKnown(mention));
    }

    private bool IsKnown(string mention)
    {
        if (Elsewhere.Contains(mention))
            return true;
        if (mention.Contains('/'))
            return Path.Exists(Path.Combine(Root, mention)) || names.Folders.Contains(mention);
        if (FileName.IsMatch(mention))
            return names.Files.Contains(mention);
        string[] parts = mention.Split('.');
        for (int i = 0; i < parts.Length; i++)
        {
            bool isMember = i > 0 && names.IsType(parts[i - 1]);
            if (isMember ? !names.HasMember(parts[i - 1], parts[i]) : !names.Identifiers.Contains(parts[i]))
                return false;
        }
        return true;
    }

    /// <summary>
    /// Inline code outside of fenced blocks that looks like a path, a file's name, or a name in PascalCase.
    /// </summary>
    private static List<string> Mentions(string document)
    {
        List<string> mentions = [];
        foreach (Match span in InlineCode.Matches(FencedBlock.Replace(document, "")))
        {
            string code = span.Groups[1].Value;
            if (Mentionable.Match(code) is { Success: true } match)
                mentions.Add(match.Groups[1].Value);
        }
        return mentions;
    }

    private static IEnumerable<string> Documents() =>
    [
        Path.Combine(Root, "README.md"), Path.Combine(Root, "CONTRIBUTING.md"),
        Path.Combine(Root, "loadtest", "README.md"),
        .. Directory.GetFiles(Path.Combine(Root, "docs"), "*.md"),
    ];

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex FencedBlock { get; }

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InlineCode { get; }

    /// <summary>A path below a folder of the tree, a source file, or Type, Type.Member, Member(…).</summary>
    [GeneratedRegex(
        @"^((?:src|tests|bench|loadtest|docs|scripts|\.ci)(?:/[\w.-]+)+|"
        + @"[\w-]+\.(?:cs|csproj|md|sln|txt|csv)|[A-Z][a-z]\w*(?:\.[A-Z]\w*)*)(?:\(.*\))?$")]
    private static partial Regex Mentionable { get; }

    [GeneratedRegex(@"\b[\w-]+\.(?:cs|md|csproj|txt)\b")]
    private static partial Regex FileName { get; }

    [GeneratedRegex(@"\b([A-Z]\w+)\.([A-Z]\w+)\b")]
    private static partial Regex Member { get; }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link { get; }
}
