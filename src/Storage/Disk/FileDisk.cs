using RaftFast.Protocol;

namespace RaftFast.Storage.Disk;

/// <summary>The way of a write to stable storage.</summary>
public enum DiskWriteMode
{
    /// <summary>
    /// O_DIRECT and O_DSYNC: one request to the device, which writes through its cache. O_DSYNC alone if the file
    /// system refuses O_DIRECT.
    /// </summary>
    Direct,

    /// <summary>A write into the page cache, then fdatasync.</summary>
    Buffered,

    /// <summary>No writes: files are opened for reading only.</summary>
    ReadOnly,
}

/// <summary>A directory of the file system.</summary>
public sealed class FileDisk(string directory, DiskWriteMode mode) : IDisk
{
    /// <summary>Bytes of zeros that <see cref="Create"/> writes at a time.</summary>
    private const int FillBytes = 1 << 20;

    public IReadOnlyList<string> List()
    {
        List<string> names = [];
        try
        {
            foreach (string path in Directory.EnumerateFiles(directory))
                names.Add(Path.GetFileName(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Failure($"list {directory}", error);
        }
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public bool Exists(string name) => File.Exists(PathOf(name));

    public IDiskFile Create(string name, long bytes)
    {
        Invariant.Hold(mode != DiskWriteMode.ReadOnly);
        Invariant.Hold(bytes >= 0 && bytes % IDisk.Alignment == 0);
        string path = PathOf(name);
        IDiskFile? file = Libc.IsKnown ? CreateOnLinux(path, bytes) : CreateElsewhere(path, bytes);
        return file ?? throw new DiskFullException($"the disk has no room for {bytes} bytes of {path}");
    }

    public IDiskFile Open(string name)
    {
        string path = PathOf(name);
        if (Libc.IsKnown)
            return LinuxFile.Open(path, mode);
        try
        {
            return PortableFile.Open(path, mode == DiskWriteMode.ReadOnly ? FileAccess.Read : FileAccess.ReadWrite);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Failure($"open {path}", error);
        }
    }

    public void Rename(string from, string to)
    {
        Invariant.Hold(mode != DiskWriteMode.ReadOnly);
        try
        {
            File.Move(PathOf(from), PathOf(to), overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The directory may need a block for the new name.
            bool isDiskFull = error is IOException full && PortableFile.IsFull(full);
            throw Failure($"rename {PathOf(from)} to {to}", error, isDiskFull);
        }
    }

    public void Delete(string name)
    {
        Invariant.Hold(mode != DiskWriteMode.ReadOnly);
        try
        {
            File.Delete(PathOf(name));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Failure($"delete {PathOf(name)}", error);
        }
    }

    public void SyncDirectory() => SyncDirectory(directory);

    /// <summary>
    /// Does nothing on Windows: its file systems order changes of names in their own journal, and .NET can't open a
    /// directory.
    /// </summary>
    internal static void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsWindows())
            LinuxFile.SyncDirectory(path);
    }

    private LinuxFile? CreateOnLinux(string path, long bytes)
    {
        if (!LinuxFile.TryCreate(path))
            return null;
        LinuxFile file = LinuxFile.Open(path, mode);
        // The file system marks allocated blocks as unwritten. Without the zeros, the first sync over these blocks
        // would write metadata.
        bool filled = false;
        try
        {
            filled = (bytes == 0 || file.TryAllocate(bytes)) && Fill(bytes, file.TryWrite);
        }
        finally
        {
            if (!filled)
            {
                file.Dispose();
                File.Delete(path);
            }
        }
        return filled ? file : null;
    }

    private static PortableFile? CreateElsewhere(string path, long bytes)
    {
        try
        {
            // .NET reserves the size if the system can, and reports a full disk here.
            File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, bytes)
                .Dispose();
        }
        catch (IOException) when (!File.Exists(path))
        {
            return null;
        }
        PortableFile file = PortableFile.Open(path);
        Fill(bytes, (offset, data) =>
        {
            file.Write(offset, data);
            return true;
        });
        return file;
    }

    private static bool Fill(long bytes, Func<long, ReadOnlySpan<byte>, bool> tryWrite)
    {
        using AlignedMemory zeros = new(FillBytes);
        zeros.Span.Clear();
        for (long offset = 0; offset < bytes; offset += FillBytes)
        {
            if (!tryWrite(offset, zeros.Span[..(int)Math.Min(FillBytes, bytes - offset)]))
                return false;
        }
        return true;
    }

    private string PathOf(string name) => Path.Combine(directory, name);

    private static StorageException Failure(string operation, Exception error, bool isDiskFull = false) =>
        new($"can't {operation}: {error.Message}; check the disk and this user's rights", error)
        {
            IsDiskFull = isDiskFull,
        };
}
