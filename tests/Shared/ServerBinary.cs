namespace RaftFast.Tests;

/// <summary>
/// The server under test: the file that RAFTFAST_BINARY names, or else the one that the build left beside its source.
/// A native binary, which starts faster, is preferred if `dotnet test` has published one of that build.
/// </summary>
internal static class ServerBinary
{
    public const string Variable = "RAFTFAST_BINARY";

    public static string Location { get; } = Find();

    /// <summary>True if the server was compiled ahead of time (dotnet publish).</summary>
    public static bool IsNative => !File.Exists(Location + ".dll");

    private static string Find()
    {
        string? named = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(named))
        {
            return File.Exists(named)
                ? Path.GetFullPath(named)
                : throw new FileNotFoundException($"{Variable} names {named}, which does not exist");
        }
        // Tests run the server of their own configuration: …/bin/<configuration>/<framework>/
        DirectoryInfo framework = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string built = Repository.PathOf("src", "Server", "bin", framework.Parent!.Name, framework.Name, "raftfast");
        string native = Repository.PathOf("tests", "EndToEnd", "bin", "native", framework.Parent.Name, "raftfast");
        if (File.Exists(native) && File.GetLastWriteTimeUtc(native) >= File.GetLastWriteTimeUtc(built + ".dll"))
            return native;
        return File.Exists(built)
            ? built
            : throw new FileNotFoundException($"no server at {built}; build src/Server or set {Variable}");
    }
}
