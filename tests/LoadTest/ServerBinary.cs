namespace RaftFast.LoadTest.Tests;

/// <summary>
/// The server that scenarios start: what RAFTFAST_BINARY names, or else what the build left beside its source.
/// </summary>
internal static class ServerBinary
{
    public static string Location { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("RAFTFAST_BINARY") is { Length: > 0 } named)
            return Path.GetFullPath(named);
        // Tests of one configuration run the server of the same one: …/bin/<configuration>/<framework>/
        DirectoryInfo framework = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(Root(), "src", "Server", "bin", framework.Parent!.Name, framework.Name, "raftfast");
    }

    private static string Root()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "RaftFast.sln")))
                return directory.FullName;
        }
        throw new DirectoryNotFoundException($"no RaftFast.sln above {AppContext.BaseDirectory}");
    }
}
