namespace RaftFast.Tests;

internal static class Repository
{
    /// <summary>The directory of RaftFast.sln: the nearest one above the running tests.</summary>
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "RaftFast.sln")))
                return directory.FullName;
        }
        throw new DirectoryNotFoundException($"no RaftFast.sln above {AppContext.BaseDirectory}");
    }
}
