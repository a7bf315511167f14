using System.Globalization;
using System.Text.RegularExpressions;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

/// <summary>
/// README.md as a script. A <c>console</c> block has commands after "$ ", each with its output on stdout below, in
/// which "..." stands for any text. A <c>sh</c> block has one command a line. The command of a <c>sh server 9121</c>
/// block runs until the next heading. There is no other kind of block.
/// </summary>
internal static class Readme
{
    private const string Fence = "```";
    private const string Prompt = "$ ";

    private static readonly Regex Flag = new("--[a-z][a-z-]*");

    public static IReadOnlyList<ReadmeStep> Steps() => Parse(File.ReadAllLines(Repository.PathOf("README.md")));

    public static SortedSet<string> FlagsIn(string text) => new(
        Flag.Matches(text).Select(match => match.Value), StringComparer.Ordinal);

    /// <summary>Returns the flags of the table under "Flags".</summary>
    public static SortedSet<string> Flags()
    {
        IEnumerable<string> rows = File.ReadAllLines(Repository.PathOf("README.md"))
            .SkipWhile(line => line != "## Flags").Where(line => line.StartsWith("| `--", StringComparison.Ordinal));
        return FlagsIn(string.Join('\n', rows.Select(row => row.Split('|')[1])));
    }

    public static IReadOnlyList<ReadmeStep> Parse(string[] lines)
    {
        List<ReadmeStep> steps = [];
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith('#'))
                steps.Add(new ReadmeStep(ReadmeStepKind.Heading, i + 1, lines[i].TrimStart('#', ' '), null, []));
            if (!lines[i].StartsWith(Fence, StringComparison.Ordinal))
                continue;
            string[] info = lines[i][Fence.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            int first = i + 1;
            int end = Array.IndexOf(lines, Fence, first);
            Assert.True(end > 0, $"README.md:{i + 1}: the block has no end");
            switch (info)
            {
                case ["console"]:
                    AddConsole(steps, lines, first, end);
                    break;
                case ["sh"]:
                    for (int line = first; line < end; line++)
                        steps.Add(new ReadmeStep(ReadmeStepKind.Command, line + 1, lines[line], null, []));
                    break;
                case ["sh", "server", .. string[] ports]:
                    Assert.True(
                        end == first + 1 && ports.Length > 0,
                        $"README.md:{i + 1}: a server is one line, with the ports that it opens");
                    int[] numbers = [.. ports.Select(port => int.Parse(port, CultureInfo.InvariantCulture))];
                    steps.Add(new ReadmeStep(ReadmeStepKind.Server, first + 1, lines[first], null, numbers));
                    break;
                default:
                    Assert.Fail(
                        $"README.md:{i + 1}: blocks are console, sh or sh server, so that a test can run them; "
                        + $"not '{lines[i]}'");
                    break;
            }
            i = end;
        }
        return steps;
    }

    private static void AddConsole(List<ReadmeStep> steps, string[] lines, int first, int end)
    {
        for (int line = first; line < end;)
        {
            Assert.True(
                lines[line].StartsWith(Prompt, StringComparison.Ordinal),
                $"README.md:{line + 1}: output of no command");
            int output = line + 1;
            int next = output;
            while (next < end && !lines[next].StartsWith(Prompt, StringComparison.Ordinal))
                next++;
            steps.Add(new ReadmeStep(
                ReadmeStepKind.Command, line + 1, lines[line][Prompt.Length..], string.Join('\n', lines[output..next]),
                []));
            line = next;
        }
    }
}

/// <param name="Text">The command, or the text of the heading.</param>
/// <param name="Expected">Output that the README shows below a command, or null if any output is allowed.</param>
/// <param name="Ports">Ports of a server, which is up when all of them answer.</param>
internal sealed record ReadmeStep(ReadmeStepKind Kind, int Line, string Text, string? Expected, int[] Ports);

internal enum ReadmeStepKind
{
    /// <summary>A command that ends, and prints what the README shows.</summary>
    Command,

    /// <summary>A command that runs until the next heading, where Ctrl-C ends it.</summary>
    Server,

    /// <summary>A heading: a server that was started above it stops.</summary>
    Heading,
}
