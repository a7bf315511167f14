using RaftFast.Storage.Disk;

namespace RaftFast.Engine;

/// <summary>A disk that counts the log's writes and passes them on.</summary>
internal sealed class CountingDisk(IDisk disk) : IDisk
{
    private long writes;
    private long bytes;

    public LogWrites Writes => new(Interlocked.Read(ref writes), Interlocked.Read(ref bytes));

    public IReadOnlyList<string> List() => disk.List();

    public bool Exists(string name) => disk.Exists(name);

    public IDiskFile Create(string name, long bytes) => Counted(name, disk.Create(name, bytes));

    public IDiskFile Open(string name) => Counted(name, disk.Open(name));

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string name) => disk.Delete(name);

    public void SyncDirectory() => disk.SyncDirectory();

    private IDiskFile Counted(string name, IDiskFile file) =>
        name.StartsWith("wal-", StringComparison.Ordinal) ? new LogFile(this, file) : file;

    private sealed class LogFile(CountingDisk counts, IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> destination) => file.Read(offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            file.Write(offset, data);
            Interlocked.Increment(ref counts.writes);
            Interlocked.Add(ref counts.bytes, data.Length);
        }

        public bool TryWrite(long offset, ReadOnlySpan<byte> data) => file.TryWrite(offset, data);

        public void Sync() => file.Sync();

        public void Dispose() => file.Dispose();
    }
}
