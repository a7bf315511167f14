using RaftFast.Simulation.Reports;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Simulation.Disk;

/// <summary>
/// A directory in memory. After a crash it holds what a real disk may hold: a write in progress happened, did not
/// happen, or happened in part, by sector. Each unsynced change of the directory happened or did not, independently of
/// the others.
/// </summary>
internal sealed class SimulatedDisk(SeededRandom random, Counters counters, bool isBuffered) : IDisk
{
    private const int PageBytes = IDisk.Alignment;

    private readonly SortedDictionary<string, SimulatedFile> files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SimulatedFile> durableFiles = new(StringComparer.Ordinal);
    private readonly List<DirectoryOperation> unsynced = [];

    private readonly List<(SimulatedFile File, long Offset)> writes = [];

    /// <summary>Null if writes bypass the page cache, as with O_DIRECT.</summary>
    private readonly PageCache? cache = isBuffered ? new PageCache(random.Fork("page cache"), counters) : null;

    private long crashAt = long.MaxValue;
    private CrashMoment crashMoment;

    /// <summary>Number of operations so far that change something. A crash matters only in these.</summary>
    public long Operations { get; private set; }

    public bool IsFull { get; set; }

    public HungWrites HungWrites { get; } = new();

    /// <summary>
    /// True if the next write fails and leaves its pages in an unknown state, as after a failed fsync.
    /// </summary>
    public bool NextWriteFails { get; set; }

    /// <summary>True if the next read fails, as on a bad sector.</summary>
    public bool NextReadFails { get; set; }

    /// <summary>True once a write or read has failed; the process must then stop.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>
    /// Called with a batch that may have reached the disk, and with true unless bytes of it are surely missing there.
    /// </summary>
    public Action<ReadOnlySpan<byte>, bool>? Torn { get; set; }

    /// <summary>Called with every batch when it reaches stable storage.</summary>
    public Action<ReadOnlySpan<byte>>? Written { get; set; }

    public IReadOnlyList<string> List() => [.. files.Keys];

    public bool Exists(string name) => files.ContainsKey(name);

    public IDiskFile Create(string name, long bytes)
    {
        if (IsFull)
        {
            counters[Counter.DiskFull]++;
            throw new DiskFullException(name);
        }
        Begin();
        SimulatedFile file = new(this, bytes, isLog: name == WalSegment.NextName);
        Apply(new DirectoryOperation(null, name, file));
        End();
        return file.Open();
    }

    public IDiskFile Open(string name) => files.TryGetValue(name, out SimulatedFile? file)
        ? file.Open()
        : throw new StorageException($"simulated: there is no file {name}");

    public void Rename(string from, string to)
    {
        // The directory may need a block for the new name.
        bool isNamed = SnapshotFile.TryParseName(to, out _) || from == WalSegment.NextName;
        if (IsFull && isNamed && random.OneIn(2))
        {
            counters[Counter.DiskFull]++;
            throw new StorageException("simulated: the directory has no room") { IsDiskFull = true };
        }
        if (to == WalSegment.NextName)
            Forget(files[from]);
        Begin();
        Apply(new DirectoryOperation(from, to, files[from]));
        End();
    }

    public void Delete(string name)
    {
        Forget(files[name]);
        Begin();
        Apply(new DirectoryOperation(name, null, null));
        End();
    }

    public void SyncDirectory()
    {
        Begin();
        foreach (DirectoryOperation operation in unsynced)
            Change(durableFiles, operation);
        unsynced.Clear();
        End();
    }

    /// <summary>Makes the process die at the <paramref name="operation"/>th operation from now (1: the next).</summary>
    public void CrashAt(long operation, CrashMoment moment)
    {
        crashAt = Operations + operation;
        crashMoment = moment;
    }

    /// <summary>Ends the process but not the machine: unsynced changes stay visible, and can still be lost.</summary>
    public void LoseProcess()
    {
        cache?.Shrink();
        crashAt = long.MaxValue;
        NextWriteFails = false;
        NextReadFails = false;
        HasFailed = false;
    }

    /// <summary>Cuts the machine's power, and decides the fate of each unsynced change.</summary>
    public void LosePower()
    {
        LoseProcess();
        cache?.Clear();
        foreach (DirectoryOperation operation in unsynced)
        {
            if (random.OneIn(2))
                Change(durableFiles, operation);
            else
                counters[Counter.DirectoryOperationsLost]++;
        }
        unsynced.Clear();
        files.Clear();
        foreach ((string name, SimulatedFile file) in durableFiles)
            files.Add(name, file);
    }

    /// <summary>Flips a bit at a random place of a file.</summary>
    public void Rot(string name)
    {
        SimulatedFile file = files[name];
        long offset = random.Between(0, file.Length - 1);
        file.Page(offset / PageBytes * PageBytes)[(int)(offset % PageBytes)] ^= (byte)(1 << random.Next(8));
    }

    /// <summary>Replaces the disk by an empty one.</summary>
    public void Wipe()
    {
        files.Clear();
        durableFiles.Clear();
        unsynced.Clear();
        writes.Clear();
        cache?.Clear();
    }

    /// <summary>
    /// True if the log has a batch with later batches after it. Damage to this batch cannot pass for a torn write.
    /// </summary>
    public bool CanBeDamaged => writes.Count > 2;

    /// <summary>Misdirects a batch before the last: moves its bytes over an earlier batch.</summary>
    public void Misdirect()
    {
        int later = 1 + random.Next(writes.Count - 2);
        (SimulatedFile file, long offset) = writes[later];
        (SimulatedFile otherFile, long otherOffset) = writes[random.Next(later)];
        file.Page(offset).CopyTo(otherFile.Page(otherOffset));
        file.Page(offset).Clear();
    }

    /// <summary>
    /// Flips a bit in the header of a batch before the last, often of an old batch, which a snapshot may cover.
    /// </summary>
    public void Rot()
    {
        int among = random.OneIn(2) ? writes.Count - 1 : writes.Count / 4 + 1;
        (SimulatedFile file, long offset) = writes[random.Next(among)];
        file.Page(offset)[random.Next(WalBatchHeader.Size)] ^= (byte)(1 << random.Next(8));
    }

    /// <param name="destination">Bytes on the disk, to be replaced where the page cache has others.</param>
    internal void Read(SimulatedFile file, long offset, Span<byte> destination)
    {
        cache?.Read(file, offset, destination);
        if (!NextReadFails)
            return;
        NextReadFails = false;
        HasFailed = true;
        counters[Counter.ReadsFailed]++;
        throw new StorageException("simulated: the read failed");
    }

    /// <summary>True if a file may grow.</summary>
    internal bool HasRoom()
    {
        if (IsFull)
            counters[Counter.DiskFull]++;
        return !IsFull;
    }

    internal void Write(SimulatedFile file, long offset, ReadOnlySpan<byte> data)
    {
        if (NextWriteFails)
        {
            NextWriteFails = false;
            HasFailed = true;
            counters[Counter.SyncsFailed]++;
            Tear(file, offset, data);
            cache?.Keep(file, offset, data);
            // The page cache may show the next process what the disk lacks.
            if (IsBatch(file, offset, data))
                Torn?.Invoke(data, cache is not null || Holds(file, offset, data));
            throw new StorageException("simulated: the sync failed");
        }
        if (offset == 0)
            Forget(file);
        bool isTorn = Operations + 1 == crashAt && crashMoment == CrashMoment.During;
        if (isTorn)
        {
            Tear(file, offset, data);
            if (IsBatch(file, offset, data))
                Torn?.Invoke(data, Holds(file, offset, data));
        }
        Begin();
        bool isOnDisk = true;
        for (int done = 0; done < data.Length; done += PageBytes)
        {
            Span<byte> page = file.Page(offset + done);
            isOnDisk &= page.SequenceEqual(data.Slice(done, PageBytes));
            data.Slice(done, PageBytes).CopyTo(page);
        }
        cache?.Wrote(file, offset, data);
        if (IsBatch(file, offset, data))
        {
            if (writes.Count == 0 || writes[^1] != (file, offset))
                writes.Add((file, offset));
            // A recovery writes the last batch once more: a batch that the disk holds already is not a new one.
            if (!isOnDisk)
                Written?.Invoke(data);
        }
        End();
    }

    /// <summary>False for a segment's header, a tail that recovery clears, and a part of a snapshot.</summary>
    private static bool IsBatch(SimulatedFile file, long offset, ReadOnlySpan<byte> data) =>
        file.IsLog && offset > 0 && data[..WalBatchHeader.Size].ContainsAnyExcept((byte)0);

    /// <summary>True if the disk holds these bytes; zeros at their end do not matter.</summary>
    private static bool Holds(SimulatedFile file, long offset, ReadOnlySpan<byte> data)
    {
        data = data[..(data.LastIndexOfAnyExcept((byte)0) + 1)];
        for (int done = 0; done < data.Length; done += PageBytes)
        {
            ReadOnlySpan<byte> part = data.Slice(done, Math.Min(PageBytes, data.Length - done));
            if (!file.Page(offset + done)[..part.Length].SequenceEqual(part))
                return false;
        }
        return true;
    }

    /// <summary>Forgets the batches of a file that is deleted or becomes another segment.</summary>
    private void Forget(SimulatedFile file) => writes.RemoveAll(write => write.File == file);

    private void Begin()
    {
        if (++Operations == crashAt && crashMoment != CrashMoment.After)
            throw new SimulatedCrashException("simulated: the process died before or in an operation");
    }

    private void End()
    {
        if (Operations == crashAt)
            throw new SimulatedCrashException("simulated: the process died after an operation");
    }

    private void Apply(in DirectoryOperation operation)
    {
        Change(files, operation);
        unsynced.Add(operation);
    }

    private static void Change(SortedDictionary<string, SimulatedFile> directory, in DirectoryOperation operation)
    {
        if (operation.From is not null)
            directory.Remove(operation.From);
        if (operation.To is not null)
            directory[operation.To] = operation.File!;
    }

    /// <summary>
    /// Tears a write: each sector keeps its old bytes, gets the new ones, zeros or garbage; or the write ends at some
    /// sector. A sector whose old and new bytes are equal keeps them.
    /// </summary>
    private void Tear(SimulatedFile file, long offset, ReadOnlySpan<byte> data)
    {
        int sector = random.OneIn(2) ? 512 : PageBytes;
        bool isPrefix = random.OneIn(2);
        int prefix = random.Next(data.Length / sector + 1);
        for (int i = 0; i < data.Length / sector; i++)
        {
            int start = i * sector;
            Span<byte> target = file.Page((offset + start) / PageBytes * PageBytes).Slice(start % PageBytes, sector);
            bool isWritten = isPrefix ? i < prefix : random.OneIn(2);
            if (data.Slice(start, sector).SequenceEqual(target))
                continue;
            if (isWritten)
                data.Slice(start, sector).CopyTo(target);
            else if (!isPrefix && random.OneIn(8))
                target.Clear();
            else if (!isPrefix && random.OneIn(8))
                random.NextBytes(target);
        }
    }
}

/// <summary>A change of the directory that no SyncDirectory has covered yet.</summary>
/// <param name="From">Name that disappears, if any.</param>
/// <param name="To">Name that appears with its file, if any.</param>
internal readonly record struct DirectoryOperation(string? From, string? To, SimulatedFile? File);
