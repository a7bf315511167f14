namespace RaftFast.Tests;

/// <summary>Data that stand beside the repository, in ../shared/data or where RAFTFAST_SHARED_DATA says.</summary>
internal static class SharedData
{
    /// <summary>The folder of that name. Skips the test, and says why, where it is not.</summary>
    public static string FolderOrSkip(string name)
    {
        string? root = Environment.GetEnvironmentVariable("RAFTFAST_SHARED_DATA");
        if (root is null)
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "RaftFast.sln")))
                folder = folder.Parent;
            Assert.SkipWhen(folder is null, "RaftFast.sln is in no folder above the test's");
            root = Path.Combine(folder!.FullName, "..", "shared", "data");
        }
        string data = Path.GetFullPath(Path.Combine(root, name));
        Assert.SkipUnless(Directory.Exists(data), $"{data} is not there; RAFTFAST_SHARED_DATA names the folder that holds {name}");
        return data;
    }
}
