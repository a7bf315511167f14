using System.Runtime.InteropServices;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Tests.Disk;

/// <summary>
/// A disk in memory with a bound on its size. A crash loses changes of names that were not synced. A test can make a
/// write fail, or the process die at any operation.
/// </summary>
internal sealed class MemoryDisk : IDisk
{
    private readonly List<NameChange> unsynced = [];
    private Dictionary<string, MemoryFile> names = [];
    private Dictionary<string, MemoryFile> durableNames = [];
    private readonly List<CachedWrite> cached = [];
    private int dyingOperation;
    private DeathMoment dyingMoment;

    public long BytesFree { get; set; } = 1L << 60;

    public int Writes { get; private set; }

    /// <summary>Number of the write that throws, counted from 1; 0 for none.</summary>
    public int FailingWrite { get; set; }

    /// <summary>
    /// True if a failing write leaves its bytes in the page cache, as a failed fdatasync does: a later process reads
    /// them, and a power loss takes them away.
    /// </summary>
    public bool HasPageCache { get; set; }

    /// <summary>Operations that changed or synced something, at each of which a death makes a difference.</summary>
    public int Operations { get; private set; }

    /// <summary>Changes of names that a power loss may undo, each separately.</summary>
    public int UnsyncedNames => unsynced.Count;

    public IReadOnlyList<string> List() => [.. names.Keys.Order(StringComparer.Ordinal)];

    public bool Exists(string name) => names.ContainsKey(name);

    public IDiskFile Create(string name, long bytes)
    {
        if (bytes > BytesFree)
            throw new DiskFullException("the disk is full");
        BytesFree -= bytes;
        MemoryFile file = new(this, new byte[bytes]);
        Invariant.Hold(!names.ContainsKey(name));
        Change(new NameChange(null, name, file));
        return file;
    }

    public IDiskFile Open(string name) =>
        names.TryGetValue(name, out MemoryFile? file) ? file : throw new StorageException($"there is no file {name}");

    /// <summary>True if the directory has no room for another name.</summary>
    public bool NamesAreFull { get; set; }

    public void Rename(string from, string to)
    {
        if (NamesAreFull)
            throw new StorageException("the directory has no room") { IsDiskFull = true };
        Change(new NameChange(from, to, names[from]));
    }

    public void Delete(string name)
    {
        BytesFree += names[name].Length;
        Change(new NameChange(name, null, null));
    }

    /// <summary>True if the process is killed before the next sync of the directory.</summary>
    public bool NextDirectorySyncFails { get; set; }

    /// <summary>Calls of <see cref="IDiskFile.Sync"/>.</summary>
    public int FileSyncs { get; private set; }

    public void SyncDirectory()
    {
        if (NextDirectorySyncFails)
        {
            NextDirectorySyncFails = false;
            throw new StorageException("killed");
        }
        Begin();
        durableNames = new(names);
        unsynced.Clear();
        End();
    }

    /// <summary>Makes the process die at a later operation; 1 is the next operation.</summary>
    public void DieAt(int operation, DeathMoment moment)
    {
        dyingOperation = Operations + operation;
        dyingMoment = moment;
    }

    /// <summary>Loses the power. Returned writes are durable, and so are names once the directory is synced.</summary>
    public void Crash() => Crash(-1);

    /// <param name="lost">A bit for each unsynced change of a name, set if the change is lost.</param>
    public void Crash(int lost)
    {
        Revive();
        foreach (CachedWrite write in cached)
            write.OnDisk.CopyTo(write.File.Bytes.AsSpan(write.Offset));
        cached.Clear();
        for (int i = 0; i < unsynced.Count; i++)
        {
            if ((lost >> i & 1) == 0)
                unsynced[i].Apply(durableNames);
        }
        unsynced.Clear();
        names = new(durableNames);
    }

    /// <summary>
    /// Starts another process after a kill. Nothing is lost, but a later power loss may still undo unsynced changes.
    /// </summary>
    public void Revive() => dyingOperation = 0;

    /// <summary>A copy of the disk's contents, all durable.</summary>
    public MemoryDisk Copy()
    {
        MemoryDisk copy = new();
        foreach ((string name, MemoryFile file) in names)
            copy.names.Add(name, new MemoryFile(copy, [.. file.Bytes]));
        copy.durableNames = new(copy.names);
        return copy;
    }

    public byte[] this[string name]
    {
        get => names[name].Bytes;
        set => names[name].Bytes = value;
    }

    /// <summary>A write has reached the disk: the page cache no longer differs there.</summary>
    private void Reached(MemoryFile file, int offset, int end) =>
        cached.RemoveAll(write => write.File == file && write.Offset >= offset && write.Offset < end);

    private void Change(NameChange change)
    {
        Begin();
        change.Apply(names);
        unsynced.Add(change);
        End();
    }

    private void Begin()
    {
        if (++Operations == dyingOperation && dyingMoment != DeathMoment.After)
            throw new StorageException("died");
        Invariant.Hold(dyingOperation == 0 || Operations <= dyingOperation);
    }

    private void End()
    {
        if (Operations == dyingOperation)
            throw new StorageException("died");
    }

    private sealed record NameChange(string? From, string? To, MemoryFile? File)
    {
        public void Apply(Dictionary<string, MemoryFile> directory)
        {
            if (From is not null)
                directory.Remove(From);
            if (To is not null)
                directory[To] = File!;
        }
    }

    /// <summary>A write that is in the page cache only, and the bytes on the disk in its place.</summary>
    private sealed record CachedWrite(MemoryFile File, int Offset, byte[] OnDisk);

    private sealed class MemoryFile(MemoryDisk disk, byte[] bytes) : IDiskFile
    {
        public byte[] Bytes { get; set; } = bytes;

        public long Length => Bytes.Length;

        public int Read(long offset, Span<byte> destination)
        {
            CheckAlignment(offset, destination);
            ReadOnlySpan<byte> source = Bytes.AsSpan((int)Math.Min(offset, Bytes.Length));
            source = source[..Math.Min(source.Length, destination.Length)];
            source.CopyTo(destination);
            return source.Length;
        }

        public void Write(long offset, ReadOnlySpan<byte> data) => Assert.True(TryWrite(offset, data));

        public bool TryWrite(long offset, ReadOnlySpan<byte> data)
        {
            CheckAlignment(offset, data);
            bool fails = ++disk.Writes == disk.FailingWrite;
            if (fails && !disk.HasPageCache)
                throw new StorageException("the write failed");
            long growth = Math.Max(0, offset + data.Length - Bytes.Length);
            if (growth > disk.BytesFree)
                return false;
            disk.BytesFree -= growth;
            Bytes = growth == 0 ? Bytes : [.. Bytes, .. new byte[growth]];
            if (fails)
            {
                disk.cached.Add(new CachedWrite(this, (int)offset, [.. Bytes.AsSpan((int)offset, data.Length)]));
                data.CopyTo(Bytes.AsSpan((int)offset));
                throw new StorageException("the sync failed");
            }
            if (disk.cached.Count > 0)
                disk.Reached(this, (int)offset, (int)offset + data.Length);
            if (disk.Operations + 1 == disk.dyingOperation && disk.dyingMoment == DeathMoment.During)
            {
                for (int at = 0; at < data.Length; at += 1024)
                    data.Slice(at, 512).CopyTo(Bytes.AsSpan((int)offset + at));
            }
            disk.Begin();
            data.CopyTo(Bytes.AsSpan((int)offset));
            disk.End();
            return true;
        }

        public void Sync() => disk.FileSyncs++;

        public void Dispose()
        {
        }

        private static unsafe void CheckAlignment(long offset, ReadOnlySpan<byte> data)
        {
            fixed (byte* address = &MemoryMarshal.GetReference(data))
                Invariant.Hold(AlignedMemory.IsAligned(offset, data.Length, address));
        }
    }
}
