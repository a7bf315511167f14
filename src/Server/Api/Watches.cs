using System.Runtime.CompilerServices;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Threads;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Api;

/// <summary>
/// All watches. The loop gives one signal when the history grows, and only while there are watches. One task then reads
/// the new changes for all watches, and wakes the watches that these changes concern. So a watch without changes under
/// its prefix costs nothing, but its place in the history still advances.
/// </summary>
internal sealed class Watches(ChangeHistory history, int watchesMax)
{
    /// <summary>
    /// Maximum watches, if the limit of descriptors allows them. A watch takes some 20 KiB for its connection, and up
    /// to 100 KiB if its client is slow.
    /// </summary>
    public const int CountMax = 1024;

    /// <summary>Milliseconds without bytes after which a client gets a sign of life, at the next tick.</summary>
    private const int SilenceMax = 14_000;

    /// <summary>Maximum changes that are scanned without giving up the lock.</summary>
    private const int ScannedAtOnce = 1000;

    /// <summary>Minimum milliseconds between two scans. Changes of this time share a flush to each client.</summary>
    private const int PauseMin = 2;

    /// <summary>
    /// Watches woken for each further millisecond of pause: about the number that one processor serves in a
    /// millisecond.
    /// </summary>
    private const int WokenInMillisecond = 50;

    private const int PauseMax = 40;

    private static readonly TimeSpan TickPeriod = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly WakeSignal grown = new();
    private readonly WatchGroups groups = new();
    private readonly HashSet<Watch> all = [];
    private volatile bool isWatched;
    private bool isStarted;
    private bool isTicking;
    private long goneCount;

    /// <summary>Place in the history: all changes before this place have been scanned.</summary>
    private long scanned;

    /// <summary>Entry up to which all changes have been scanned.</summary>
    private long scannedIndex;

    public ChangeHistory History => history;

    public int Max => watchesMax;

    public int Count
    {
        get
        {
            lock (gate)
                return all.Count;
        }
    }

    /// <summary>Watches that ended because the history no longer held their next changes.</summary>
    public long GoneCount => Volatile.Read(ref goneCount);

    /// <summary>
    /// The history has grown. Costs the loop a fence, and a compare-and-swap while there are watches.
    /// </summary>
    public void Wake()
    {
        // A watch that begins now sets the flag and then reads the history. So either this thread sees the flag, or the
        // watch sees the change.
        Interlocked.MemoryBarrier();
        if (isWatched)
            grown.Set();
    }

    /// <returns>Null if there are too many watches.</returns>
    public Watch? TryBegin(byte[] prefix)
    {
        lock (gate)
        {
            if (all.Count >= watchesMax)
                return null;
            if (all.Count == 0)
                ScanFromHere();
            Watch watch = new(groups.GetOrAdd(prefix)) { ToldAt = Environment.TickCount64 };
            watch.Group.Count++;
            all.Add(watch);
            isWatched = true;
            Start();
            Interlocked.MemoryBarrier();
            return watch;
        }
    }

    public void End(Watch watch)
    {
        lock (gate)
        {
            all.Remove(watch);
            Unpark(watch);
            if (--watch.Group.Count == 0)
                groups.Remove(watch.Group);
            isWatched = all.Count > 0;
        }
    }

    /// <summary>A client was told that changes are missing.</summary>
    public void CountGone() => Interlocked.Increment(ref goneCount);

    /// <summary>
    /// Waits for a change under the prefix, for the time of a sign of life, or for <see cref="Watch.Signal"/>. The
    /// watch has told all changes before its place, and has read the history since the watch began.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ParkAsync(Watch watch)
    {
        lock (gate)
        {
            if (watch.Group.MatchedTo > watch.Position)
                return;
            watch.IsParked = true;
            watch.Group.Parked.Add(watch);
        }
        await watch.Signal.WaitAsync();
        lock (gate)
        {
            if (Unpark(watch))
                SkipTo(watch, scanned, scannedIndex);
        }
    }

    /// <returns>True if the client should get a sign of life.</returns>
    public static bool IsSilent(Watch watch) => Environment.TickCount64 - watch.ToldAt >= SilenceMax;

    private static bool Unpark(Watch watch)
    {
        if (!watch.IsParked)
            return false;
        watch.IsParked = false;
        watch.Group.Parked.Remove(watch);
        return true;
    }

    private static void SkipTo(Watch watch, long position, long index)
    {
        watch.Position = Math.Max(watch.Position, position);
        watch.Index = Math.Max(watch.Index, index);
    }

    private void ScanFromHere()
    {
        HistoryExtent extent = history.Read();
        scanned = extent.Head;
        scannedIndex = extent.Index;
    }

    private void Start()
    {
        if (!isStarted)
            _ = RunAsync(ScanAsync);
        isStarted = true;
        if (!isTicking)
            _ = RunAsync(TickAsync);
        isTicking = true;
    }

    private static async Task RunAsync(Func<Task> task)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await task();
        }
        catch (Exception bug)
        {
            FatalError.Exit(bug);
        }
    }

    private async Task ScanAsync()
    {
        while (true)
        {
            await grown.WaitAsync();
            int woken = 0;
            while (Scan(ref woken))
            {
                // The lock is free in between.
            }
            await Task.Delay(Math.Min(PauseMin + (woken / WokenInMillisecond), PauseMax));
        }
    }

    /// <returns>True if there is more to scan.</returns>
    private bool Scan(ref int woken)
    {
        lock (gate)
        {
            HistoryExtent extent = history.Read();
            Span<byte> key = stackalloc byte[PutCommand.KeyBytesMax];
            key = key[..groups.PrefixBytesMax];
            for (int i = 0; i < ScannedAtOnce && scanned < extent.Head; i++)
            {
                if (!history.TryRead(scanned, out Change change, key))
                {
                    Lost(extent, ref woken);
                    return true;
                }
                long end = scanned + change.Length;
                WatchGroup? group = groups.Find(key[..Math.Min(key.Length, change.KeyLength)]);
                for (; group is not null; group = group.Shorter)
                    Matched(group, end, ref woken);
                scanned = end;
            }
            if (scanned < extent.Head)
                return true;
            scannedIndex = Math.Max(scannedIndex, extent.Index);
            return false;
        }
    }

    private void Matched(WatchGroup group, long end, ref int woken)
    {
        group.MatchedTo = end;
        List<Watch> parked = group.Parked;
        int kept = 0;
        for (int i = 0; i < parked.Count; i++)
        {
            Watch watch = parked[i];
            // The watch has read further by itself, and told the change.
            if (watch.Position >= end)
            {
                parked[kept++] = watch;
                continue;
            }
            SkipTo(watch, scanned, 0);
            watch.IsParked = false;
            watch.Signal.Set();
            woken++;
        }
        parked.RemoveRange(kept, parked.Count - kept);
    }

    /// <summary>The history was overwritten before the scan: every watch reads the history itself.</summary>
    private void Lost(in HistoryExtent extent, ref int woken)
    {
        foreach (WatchGroup group in groups)
            Matched(group, extent.Head, ref woken);
        scanned = Math.Max(scanned, extent.Head);
    }

    /// <summary>Wakes the watches whose clients have got nothing for a long time.</summary>
    private async Task TickAsync()
    {
        using PeriodicTimer timer = new(TickPeriod);
        while (await timer.WaitForNextTickAsync())
        {
            lock (gate)
            {
                if (all.Count == 0)
                {
                    isTicking = false;
                    return;
                }
                foreach (Watch watch in all)
                {
                    if (watch.IsParked && IsSilent(watch))
                        watch.Signal.Set();
                }
            }
        }
    }
}
