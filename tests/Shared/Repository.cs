namespace RaftFast.Tests;

internal static class Repository
{
    /// <summary>The directory of RaftFast.sln: the nearest one above the running tests.</summary>
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "RaftFast.sln")))
            directory = directory.Parent;
        if (directory is not null)
            return directory.FullName;
        throw new DirectoryNotFoundException($"no RaftFast.sln above {AppContext.BaseDirectory}");
    }
}
