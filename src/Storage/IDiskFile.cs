namespace RaftFast.Storage;

/// <summary>An open file. Transfers are aligned to <see cref="IDisk.Alignment"/>.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Bytes; not a multiple of the alignment if somebody cut the file.</summary>
    long Length { get; }

    /// <returns>Bytes read: as many as there are, less than asked for only at the end of the file.</returns>
    int Read(long offset, Span<byte> destination);

    /// <summary>Returns when the data is on stable storage, and the file's size too if this made it longer.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);
}
