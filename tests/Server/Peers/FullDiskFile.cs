using RaftFast.Storage.Disk;

namespace RaftFast.Server.Tests.Peers;

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
