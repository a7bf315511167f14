using Microsoft.Win32.SafeHandles;

namespace RaftFast.Storage.Disk;

/// <summary>
/// A file opened by .NET, for systems other than Linux. FlushToDisk calls F_FULLFSYNC, fsync or FlushFileBuffers there.
/// </summary>
internal sealed class PortableFile(SafeFileHandle handle, string path) : IDiskFile
{
    public long Length => RandomAccess.GetLength(handle);

    public static PortableFile Open(string path, FileAccess access = FileAccess.ReadWrite) =>
        new(File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete), path);

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
        if (!TryWrite(offset, data))
        {
            throw new StorageException(
                $"can't write {path} at byte {offset}: the disk is full; free some space, then start again");
        }
    }

    public bool TryWrite(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            RandomAccess.Write(handle, data, offset);
            RandomAccess.FlushToDisk(handle);
            return true;
        }
        catch (IOException error) when (IsFull(error))
        {
            return false;
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

    /// <summary>
    /// True for the system's codes of a full disk: ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL on Windows, ENOSPC and
    /// EDQUOT elsewhere.
    /// </summary>
    internal static bool IsFull(IOException error)
    {
        if (OperatingSystem.IsWindows())
            return (error.HResult & 0xFFFF) is 39 or 112;
        return error.HResult is Libc.NoSpace || error.HResult == (OperatingSystem.IsLinux() ? Libc.QuotaExceeded : 69);
    }

    private StorageException Failure(string operation, long offset, IOException error) =>
        new($"can't {operation} {path} at byte {offset}: {error.Message}; check the disk, then start again", error);
}
