using RaftFast.Storage.Disk;

namespace RaftFast.Server.Tests.Peers;

/// <summary>A disk without room, until the test gives it room.</summary>
internal sealed class FullDisk(IDisk disk) : IDisk
{
    private volatile bool isFull = true;

    public bool IsFull { get => isFull; set => isFull = value; }

    /// <summary>True while the directory has no room for a new name.</summary>
    public bool RefusesNames { get; set; }

    public IReadOnlyList<string> List() => disk.List();

    public bool Exists(string name) => disk.Exists(name);

    public IDiskFile Create(string name, long bytes) =>
        IsFull ? throw new DiskFullException("the disk is full") : new FullDiskFile(this, disk.Create(name, bytes));

    public IDiskFile Open(string name) => new FullDiskFile(this, disk.Open(name));

    public void Rename(string from, string to)
    {
        if (RefusesNames)
            throw new StorageException("the directory is full") { IsDiskFull = true };
        disk.Rename(from, to);
    }

    public void Delete(string name) => disk.Delete(name);

    public void SyncDirectory() => disk.SyncDirectory();
}

/// <summary>A file that can't grow while its disk is full.</summary>
internal sealed class FullDiskFile(FullDisk disk, IDiskFile file) : IDiskFile
{
    public long Length => file.Length;

    public int Read(long offset, Span<byte> destination) => file.Read(offset, destination);

    public void Write(long offset, ReadOnlySpan<byte> data) => file.Write(offset, data);

    public bool TryWrite(long offset, ReadOnlySpan<byte> data) => !disk.IsFull && file.TryWrite(offset, data);

    public void Sync() => file.Sync();

    public void Dispose() => file.Dispose();
}
