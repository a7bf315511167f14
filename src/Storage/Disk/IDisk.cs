namespace RaftFast.Storage.Disk;

/// <summary>
/// A directory of files. Every failure other than a full disk is a <see cref="StorageException"/> and final.
/// <para>
/// <see cref="Create"/>, <see cref="Rename"/> and <see cref="Delete"/> change names. A power loss may undo each change
/// of a name separately, until <see cref="SyncDirectory"/> has returned. A caller that depends on a change syncs the
/// directory first.
/// </para>
/// </summary>
public interface IDisk
{
    /// <summary>
    /// Bytes. The offset, length and memory address of every transfer are multiples of this number, as O_DIRECT
    /// requires.
    /// </summary>
    const int Alignment = 4096;

    /// <summary>Names of all files, in ordinal order.</summary>
    IReadOnlyList<string> List();

    bool Exists(string name);

    /// <summary>
    /// Makes a new file of zeros. The file's data and size are on stable storage at the return, its name after
    /// <see cref="SyncDirectory"/>.
    /// </summary>
    /// <exception cref="DiskFullException">The disk has no room for the file. Nothing of the file remains.</exception>
    IDiskFile Create(string name, long bytes);

    /// <summary>Opens an existing file for reading and writing.</summary>
    IDiskFile Open(string name);

    /// <summary>Renames a file and replaces <paramref name="to"/>. Durable after <see cref="SyncDirectory"/>.</summary>
    /// <exception cref="StorageException">
    /// Nothing has changed if <see cref="StorageException.IsDiskFull"/>.
    /// </exception>
    void Rename(string from, string to);

    /// <summary>Deletes a file. Durable after <see cref="SyncDirectory"/>.</summary>
    void Delete(string name);

    /// <summary>Makes all changes of names durable.</summary>
    void SyncDirectory();
}

/// <summary>An open file. Transfers are aligned to <see cref="IDisk.Alignment"/>.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Bytes. Not a multiple of the alignment if an operator or a repair tool has cut the file.</summary>
    long Length { get; }

    /// <returns>Bytes read, fewer than requested only at the end of the file.</returns>
    int Read(long offset, Span<byte> destination);

    /// <summary>
    /// Writes data, and returns when the data is on stable storage. If the write makes the file longer, the new size is
    /// on stable storage too.
    /// </summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Writes as <see cref="Write"/> does, but may make the file longer on a disk without room.</summary>
    /// <returns>
    /// False if the disk is full. The file's contents from <paramref name="offset"/> on are then unknown.
    /// </returns>
    bool TryWrite(long offset, ReadOnlySpan<byte> data);

    /// <summary>
    /// Makes everything that <see cref="Read"/> returns durable. A process that was killed inside a write may have left
    /// data that this process reads and that a power loss would still take away.
    /// </summary>
    void Sync();
}
