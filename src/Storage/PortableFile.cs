using Microsoft.Win32.SafeHandles;

namespace RaftFast.Storage;

/// <summary>A file by .NET's own means, for systems other than Linux: FlushToDisk is F_FULLFSYNC, fsync or FlushFileBuffers.</summary>
internal sealed class PortableFile(SafeFileHandle handle, string path) : IDiskFile
{
    public long Length => RandomAccess.GetLength(handle);

    public static PortableFile Open(string path) =>
        new(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete), path);

    public int Read(long offset, Span<byte> destination)
    {
        int done = 0;
        try
        {
            int count;
            do
                done += count = RandomAccess.Read(handle, destination[done..], offset + done);
            while (count > 0 && done < destination.Length);
        }
        catch (IOException error)
        {
            throw Failure("read", offset, error);
        }
        return done;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            RandomAccess.Write(handle, data, offset);
            RandomAccess.FlushToDisk(handle);
        }
        catch (IOException error)
        {
            throw Failure("write", offset, error);
        }
    }

    public void Sync()
    {
        try
        {
            RandomAccess.FlushToDisk(handle);
        }
        catch (IOException error)
        {
            throw Failure("sync", 0, error);
        }
    }

    public void Dispose() => handle.Dispose();

    private StorageException Failure(string operation, long offset, IOException error) =>
        new($"can't {operation} {path} at byte {offset}: {error.Message}; check the disk, then start again", error);
}
