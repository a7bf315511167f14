namespace RaftFast.Storage.Disk;

/// <summary>An open file. Transfers are aligned to <see cref="IDisk.Alignment"/>.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Bytes; not a multiple of the alignment if somebody cut the file.</summary>
    long Length { get; }

    /// <returns>Bytes read: as many as there are, less than asked for only at the end of the file.</returns>
    int Read(long offset, Span<byte> destination);

    /// <summary>Returns when the data is on stable storage, and the file's size too if this made it longer.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>As <see cref="Write"/>, where the file may have to grow.</summary>
    /// <returns>False if the disk has no room: what then stands from <paramref name="offset"/> on is unknown.</returns>
    bool TryWrite(long offset, ReadOnlySpan<byte> data);

    /// <summary>
    /// Brings to stable storage what <see cref="Read"/> returns. A process that was killed inside a write may have left data that this
    /// one reads, and that a power loss would still take away.
    /// </summary>
    void Sync();
}
