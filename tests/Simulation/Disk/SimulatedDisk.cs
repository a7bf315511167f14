using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation.Disk;

/// <summary>
/// A directory in memory that a crash treats as a real disk may: a write that was under way happened, did not, or partly
/// did, by sector; a change of the directory that was not synced happened or did not, each for itself.
/// </summary>
internal sealed class SimulatedDisk(SeededRandom random, Counters counters) : IDisk
{
    private const int PageBytes = IDisk.Alignment;

    private readonly SortedDictionary<string, SimulatedFile> files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SimulatedFile> durableFiles = new(StringComparer.Ordinal);
    private readonly List<DirectoryOperation> unsynced = [];

    private readonly List<(SimulatedFile File, long Offset)> writes = [];

    private long crashAt = long.MaxValue;
    private CrashMoment crashMoment;

    /// <summary>Operations so far that change something: the points at which a crash makes a difference.</summary>
    public long Operations { get; private set; }

    public bool IsFull { get; set; }

    /// <summary>The next write fails, its pages in an unknown state, as after a failed fsync.</summary>
    public bool NextWriteFails { get; set; }

    /// <summary>The next read fails, as where a sector has gone bad.</summary>
    public bool NextReadFails { get; set; }

    /// <summary>A write or read has failed: the process is to stop.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Told of a batch that may have got there, or a part of it.</summary>
    public Action<ReadOnlySpan<byte>>? Torn { get; set; }

    /// <summary>Told of every batch that is on stable storage, as it gets there.</summary>
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

    public IDiskFile Open(string name) => files[name].Open();

    public void Rename(string from, string to)
    {
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

    /// <summary>The process dies at the <paramref name="operation"/>th operation from now (1: the next).</summary>
    public void CrashAt(long operation, CrashMoment moment)
    {
        crashAt = Operations + operation;
        crashMoment = moment;
    }

    /// <summary>The process has died, the machine has not: what was not synced is still to be seen, and still to be lost.</summary>
    public void LoseProcess()
    {
        crashAt = long.MaxValue;
        NextWriteFails = false;
        NextReadFails = false;
        HasFailed = false;
    }

    /// <summary>The machine has lost power: what was not synced is decided.</summary>
    public void LosePower()
    {
        LoseProcess();
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

    /// <summary>A bit turns somewhere in a file.</summary>
    public void Rot(string name)
    {
        SimulatedFile file = files[name];
        long offset = random.Between(0, file.Length - 1);
        file.Page(offset / PageBytes * PageBytes)[(int)(offset % PageBytes)] ^= (byte)(1 << random.Next(8));
    }

    /// <summary>An empty disk in its place.</summary>
    public void Wipe()
    {
        files.Clear();
        durableFiles.Clear();
        unsynced.Clear();
        writes.Clear();
    }

    /// <summary>Whether there is a batch that another one has followed, so that damage to it can't pass for a torn write.</summary>
    public bool CanBeDamaged => writes.Count > 2;

    /// <summary>It turns out that such a batch was written over one before it, and its own place never.</summary>
    public void Misdirect()
    {
        int later = 1 + random.Next(writes.Count - 2);
        (SimulatedFile file, long offset) = writes[later];
        (SimulatedFile otherFile, long otherOffset) = writes[random.Next(later)];
        file.Page(offset).CopyTo(otherFile.Page(otherOffset));
        file.Page(offset).Clear();
    }

    /// <summary>A bit turns at the start of such a batch: in its header.</summary>
    public void Rot()
    {
        (SimulatedFile file, long offset) = writes[random.Next(writes.Count - 1)];
        file.Page(offset)[random.Next(WalBatchHeader.Size)] ^= (byte)(1 << random.Next(8));
    }

    internal void BeforeRead()
    {
        if (!NextReadFails)
            return;
        NextReadFails = false;
        HasFailed = true;
        counters[Counter.ReadsFailed]++;
        throw new StorageException("simulated: the read failed");
    }

    /// <summary>Whether there is room for a file to grow.</summary>
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
            if (IsBatch(file, offset, data))
                Torn?.Invoke(data);
            throw new StorageException("simulated: the sync failed");
        }
        if (offset == 0)
            Forget(file);
        bool isTorn = Operations + 1 == crashAt && crashMoment == CrashMoment.During;
        if (isTorn)
        {
            Tear(file, offset, data);
            if (IsBatch(file, offset, data))
                Torn?.Invoke(data);
        }
        Begin();
        for (int done = 0; done < data.Length; done += PageBytes)
            data.Slice(done, PageBytes).CopyTo(file.Page(offset + done));
        if (IsBatch(file, offset, data))
        {
            writes.Add((file, offset));
            Written?.Invoke(data);
        }
        End();
    }

    /// <summary>Not a segment's header, nor a tail that recovery clears, nor a part of a snapshot.</summary>
    private static bool IsBatch(SimulatedFile file, long offset, ReadOnlySpan<byte> data) =>
        file.IsLog && offset > 0 && data[..WalBatchHeader.Size].ContainsAnyExcept((byte)0);

    /// <summary>Its batches are gone, or about to be: it is deleted, or becomes another segment.</summary>
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

    /// <summary>Each sector for itself: as it was, as it should be, zeros, or garbage; or all up to one.</summary>
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
            if (isWritten)
                data.Slice(start, sector).CopyTo(target);
            else if (!isPrefix && random.OneIn(8))
                target.Clear();
            else if (!isPrefix && random.OneIn(8))
                random.NextBytes(target);
        }
    }
}
