namespace RaftFast.Storage.Disk;

/// <summary>A directory of files. Every failure but a full disk is a <see cref="StorageException"/>, and final.</summary>
public interface IDisk
{
    /// <summary>Bytes. Offset, length and memory address of every transfer are multiples of it, as O_DIRECT wants.</summary>
    const int Alignment = 4096;

    /// <summary>Names in ordinal order.</summary>
    IReadOnlyList<string> List();

    bool Exists(string name);

    /// <summary>A new file of zeros, data and size on stable storage; its name is durable only after <see cref="SyncDirectory"/>.</summary>
    /// <exception cref="DiskFullException">There is no room; nothing is left behind.</exception>
    IDiskFile Create(string name, long bytes);

    /// <summary>For reading and writing.</summary>
    IDiskFile Open(string name);

    /// <summary>Replaces <paramref name="to"/>. Durable only after <see cref="SyncDirectory"/>.</summary>
    void Rename(string from, string to);

    void Delete(string name);

    void SyncDirectory();
}
