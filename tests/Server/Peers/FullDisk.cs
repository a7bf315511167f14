using RaftFast.Storage;

namespace RaftFast.Server.Tests.Peers;

/// <summary>A disk without room for new files, until there is.</summary>
internal sealed class FullDisk(IDisk disk) : IDisk
{
    public bool IsFull { get; set; } = true;

    public IReadOnlyList<string> List() => disk.List();

    public bool Exists(string name) => disk.Exists(name);

    public IDiskFile Create(string name, long bytes) => IsFull ? throw new DiskFullException("the disk is full") : disk.Create(name, bytes);

    public IDiskFile Open(string name) => disk.Open(name);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string name) => disk.Delete(name);

    public void SyncDirectory() => disk.SyncDirectory();
}
