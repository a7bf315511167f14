namespace RaftFast.Tests;

/// <summary>
/// Data of other projects, beside the repository in ../shared/data or in the folder that RAFTFAST_SHARED_DATA names.
/// </summary>
internal static class SharedData
{
    private const string Variable = "RAFTFAST_SHARED_DATA";

    /// <summary>Returns the folder of that name. Skips the test when the folder does not exist.</summary>
    public static string FolderOrSkip(string name)
    {
        string root = Environment.GetEnvironmentVariable(Variable) ?? Repository.PathOf("..", "shared", "data");
        string data = Path.GetFullPath(Path.Combine(root, name));
        Assert.SkipUnless(
            Directory.Exists(data), $"{data} does not exist; {Variable} names the folder that holds {name}");
        return data;
    }
}
