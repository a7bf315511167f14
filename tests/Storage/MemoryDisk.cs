using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Storage.Tests;

/// <summary>
/// A disk in memory with a bound on its size. It forgets names not synced to the directory when it crashes, and can be told to fail a
/// write.
/// </summary>
internal sealed class MemoryDisk : IDisk
{
    private Dictionary<string, MemoryFile> names = [];
    private Dictionary<string, MemoryFile> durableNames = [];

    public long BytesFree { get; set; } = long.MaxValue;

    public int Writes { get; private set; }

    /// <summary>The write of this number throws, counted from 1 on.</summary>
    public int FailingWrite { get; set; }

    public IReadOnlyList<string> List() => [.. names.Keys.Order(StringComparer.Ordinal)];

    public bool Exists(string name) => names.ContainsKey(name);

    public IDiskFile Create(string name, long bytes)
    {
        if (bytes > BytesFree)
            throw new DiskFullException("the disk is full");
        BytesFree -= bytes;
        MemoryFile file = new(this, new byte[bytes]);
        names.Add(name, file);
        return file;
    }

    public IDiskFile Open(string name) => names[name];

    public void Rename(string from, string to)
    {
        names[to] = names[from];
        names.Remove(from);
    }

    public void Delete(string name)
    {
        BytesFree += names[name].Length;
        names.Remove(name);
    }

    /// <summary>The process is killed before the next sync of the directory.</summary>
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
        durableNames = new(names);
    }

    /// <summary>What a power loss leaves: writes are durable when they return, names when the directory is synced.</summary>
    public void Crash() => names = new(durableNames);

    public MemoryDisk Copy()
    {
        MemoryDisk copy = new();
        foreach ((string name, MemoryFile file) in names)
            copy.names.Add(name, new MemoryFile(copy, [.. file.Bytes]));
        copy.SyncDirectory();
        return copy;
    }

    public byte[] this[string name]
    {
        get => names[name].Bytes;
        set => names[name].Bytes = value;
    }

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

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            CheckAlignment(offset, data);
            if (++disk.Writes == disk.FailingWrite)
                throw new StorageException("the write failed");
            if (offset + data.Length > Bytes.Length)
                Bytes = [.. Bytes, .. new byte[offset + data.Length - Bytes.Length]];
            data.CopyTo(Bytes.AsSpan((int)offset));
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
