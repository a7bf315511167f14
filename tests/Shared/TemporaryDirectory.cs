namespace RaftFast.Tests;

/// <summary>A directory of the real file system, deleted with this object.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Location { get; } = Directory.CreateTempSubdirectory("raftfast-test-").FullName;

    public string PathOf(string name) => Path.Combine(Location, name);

    public void Dispose() => Directory.Delete(Location, recursive: true);
}
