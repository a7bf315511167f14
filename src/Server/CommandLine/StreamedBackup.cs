using RaftFast.Storage.Disk;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// A backup from a pipe, kept in a file beside the data directory while the restore runs. The restore reads a backup
/// twice, because the restore verifies all of the backup before it touches the directory.
/// </summary>
internal sealed class StreamedBackup : IDisposable
{
    private StreamedBackup(string path) => Path = path;

    public string Path { get; }

    /// <param name="directory">The data directory that the restore makes.</param>
    /// <exception cref="StorageException">The file can't be written.</exception>
    public static StreamedBackup Receive(Stream source, string directory)
    {
        string path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(directory)) + ".input-tmp";
        StreamedBackup received = new(path);
        try
        {
            using FileStream file = new(path, FileMode.Create, FileAccess.Write);
            source.CopyTo(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            received.Dispose();
            throw new StorageException(
                $"the backup from standard input can't be kept in {path}: {error.Message.TrimEnd('.')}; "
                + "make room there, or save the backup in a file and give --input FILE", error);
        }
        return received;
    }

    public void Dispose() => File.Delete(Path);
}
