using RaftFast.Storage.Disk;

namespace RaftFast.Server.Tests.Peers;

/// <summary>A disk on which making or extending a file, or reading, hangs while the test says so.</summary>
internal sealed class HangingDisk(IDisk disk) : IDisk
{
    private readonly TaskCompletionSource end = new();
    private volatile bool mayHang;
    private volatile bool readsHang;
    private volatile bool hangs;

    public void Hang() => mayHang = true;

    /// <summary>Returns once the disk does not hang.</summary>
    public void Wait()
    {
        if (!mayHang)
            return;
        hangs = true;
        end.Task.Wait();
    }

    public void HangReads() => readsHang = true;

    /// <summary>Returns once reads do not hang.</summary>
    public void WaitToRead()
    {
        if (!readsHang)
            return;
        hangs = true;
        end.Task.Wait();
    }

    public void WaitUntilItHangs() => Eventually.True(() => hangs);

    public void Continue()
    {
        mayHang = readsHang = false;
        end.SetResult();
    }

    public IReadOnlyList<string> List() => disk.List();

    public bool Exists(string name) => disk.Exists(name);

    public IDiskFile Create(string name, long bytes)
    {
        Wait();
        return new HangingFile(this, disk.Create(name, bytes));
    }

    public IDiskFile Open(string name) => new HangingFile(this, disk.Open(name));

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string name) => disk.Delete(name);

    public void SyncDirectory() => disk.SyncDirectory();
}

/// <summary>A file that does not grow, or is not read, while its disk hangs.</summary>
internal sealed class HangingFile(HangingDisk disk, IDiskFile file) : IDiskFile
{
    public long Length => file.Length;

    public int Read(long offset, Span<byte> destination)
    {
        disk.WaitToRead();
        return file.Read(offset, destination);
    }

    public void Write(long offset, ReadOnlySpan<byte> data) => file.Write(offset, data);

    public bool TryWrite(long offset, ReadOnlySpan<byte> data)
    {
        disk.Wait();
        return file.TryWrite(offset, data);
    }

    public void Sync() => file.Sync();

    public void Dispose() => file.Dispose();
}
