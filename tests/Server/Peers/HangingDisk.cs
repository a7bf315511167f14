using RaftFast.Storage.Disk;

namespace RaftFast.Server.Tests.Peers;

/// <summary>A disk on which making a file hangs while the test says so.</summary>
internal sealed class HangingDisk(IDisk disk) : IDisk
{
    private readonly TaskCompletionSource end = new();
    private volatile bool mayHang;
    private volatile bool hangs;

    public void Hang() => mayHang = true;

    public void WaitUntilItHangs() => Eventually.True(() => hangs);

    public void Continue() => end.SetResult();

    public IReadOnlyList<string> List() => disk.List();

    public bool Exists(string name) => disk.Exists(name);

    public IDiskFile Create(string name, long bytes)
    {
        if (mayHang)
        {
            hangs = true;
            end.Task.Wait();
        }
        return disk.Create(name, bytes);
    }

    public IDiskFile Open(string name) => disk.Open(name);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string name) => disk.Delete(name);

    public void SyncDirectory() => disk.SyncDirectory();
}
