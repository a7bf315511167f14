using System.Collections;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

/// <summary>A copy of the repository's sources, as a clone has them, and a shell in it.</summary>
internal sealed class ScratchTree : IDisposable
{
    private static readonly HashSet<string> NotSources =
        [".git", ".vs", "bin", "obj", "out", ".cluster", "TestResults", "BenchmarkDotNet.Artifacts"];

    private readonly TemporaryDirectory directory = new();
    private readonly Dictionary<string, string?> environment = new(StringComparer.Ordinal);

    public ScratchTree()
    {
        Copy(new DirectoryInfo(Repository.Root), Root);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            // `dotnet test` sets these variables for its children; a terminal has no such variables.
            string name = (string)variable.Key;
            if (name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name.StartsWith(
                "VSTEST", StringComparison.OrdinalIgnoreCase))
                environment[name] = null;
        }
        environment[ServerBinary.Variable] = null;
        environment["MSBUILDDISABLENODEREUSE"] = "1"; // no build server outlives the test
        environment["RunAnalyzers"] = "false"; // they have passed in the build that made these tests
        environment["NO_PROXY"] = environment["no_proxy"] = "127.0.0.1";
        environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:{CommandsDirectory}";
        Directory.CreateDirectory(CommandsDirectory);
    }

    public string Root => directory.PathOf("RaftFast");

    /// <summary>The last directory of PATH: a command here stands in for one that this machine doesn't have.</summary>
    public string CommandsDirectory => directory.PathOf("commands");

    /// <summary>Links the server under test to the place where <c>dotnet publish</c> in the README puts it.</summary>
    public void LinkServer()
    {
        Directory.CreateDirectory(Path.Combine(Root, "out"));
        File.CreateSymbolicLink(Path.Combine(Root, "out", "raftfast"), ServerBinary.Location);
    }

    public ShellJob Start(string command) => new(command, Root, environment);

    public void Dispose() => directory.Dispose();

    private static void Copy(DirectoryInfo source, string destination)
    {
        Directory.CreateDirectory(destination);
        foreach (FileInfo file in source.EnumerateFiles())
            file.CopyTo(Path.Combine(destination, file.Name));
        foreach (DirectoryInfo below in source.EnumerateDirectories())
        {
            if (!NotSources.Contains(below.Name) && !below.Name.StartsWith("raftfast-", StringComparison.Ordinal))
                Copy(below, Path.Combine(destination, below.Name));
        }
    }
}
