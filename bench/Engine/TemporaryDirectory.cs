namespace RaftFast.Engine;

/// <summary>A new directory that is deleted with its contents.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory(string parent)
    {
        Path = System.IO.Path.GetFullPath(System.IO.Path.Combine(parent, $"raftfast-engine-{Environment.ProcessId}"));
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
