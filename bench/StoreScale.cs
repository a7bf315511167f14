using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Bench;

/// <summary>
/// Measures a store of many keys: resident memory for each key, times of puts and gets, and the work of the garbage
/// collector. Prints the longest put while the store grows, and while another thread reads a view. Keys have 16 bytes,
/// values 64.
/// </summary>
internal static class StoreScale
{
    public const int KeysDefault = 10_000_000;

    /// <summary>Rate at which the view is read, like a snapshot that is written to a disk.</summary>
    private const double ReadBytesPerSecond = 200e6;

    private const int KeyBytes = 16;
    private const int ValueBytes = 64;

    public static void Run(int keys)
    {
        byte[] record = new byte[Record.LengthOf(PutCommand.PayloadLength(KeyBytes, ValueBytes))];
        byte[] key = new byte[KeyBytes];
        Latencies growing = new();
        Latencies putting = new();
        Latencies viewed = new();
        Latencies after = new();
        // The code is compiled before measuring begins.
        using (KeyValueStore warmUp = new())
        {
            for (int i = 0; i < 200_000; i++)
                Put(warmUp, record, key, i, growing);
        }
        growing.Clear();
        using KeyValueStore store = new();
        Put(store, record, key, 0, growing);
        long objects = GC.GetTotalMemory(forceFullCollection: true);
        int collections = GC.CollectionCount(0);
        TimeSpan paused = GC.GetTotalPauseDuration();
        long residentBefore = Resident();

        long begun = Stopwatch.GetTimestamp();
        for (int i = 1; i < keys; i++)
            Put(store, record, key, i, growing);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        double bytesPerKey = (Resident() - residentBefore) / (double)keys;
        double bound = 1.6 * (KeyBytes + ValueBytes) + 32;
        Print($"{keys:N0} keys of {KeyBytes} bytes with values of {ValueBytes}: {keys / seconds:N0} a second");
        double wholePerKey = Resident() / (double)keys;
        double storePerKey = store.MemoryBytes / (double)keys;
        Print($"resident: {bytesPerKey:F1} bytes a key, bound {bound:F1}");
        Print($"resident, whole process: {wholePerKey:F1} bytes a key; by the store's own count: {storePerKey:F1}");
        growing.Print("put of a new key");

        Random random = new(1);
        int operations = Math.Min(keys, 2_000_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < operations; i++)
            Put(store, record, key, random.Next(keys), putting);
        begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < operations; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(key, random.Next(keys));
            Invariant.Hold(store.TryGet(key, out _, out _));
        }
        double nanoseconds = Stopwatch.GetElapsedTime(begun).TotalNanoseconds / operations;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        putting.Print("put of an existing key");
        Print($"get of an existing key: mean {nanoseconds:F0} ns");
        Print($"allocated by {2L * operations:N0} puts and gets: {allocated} bytes");

        Print($"order of the keys: {store.OrderBytes / (double)keys:F1} bytes a key");
        PrintPages(store, key, random, keys, withValues: false);
        PrintPages(store, key, random, keys, withValues: true);

        byte[] chunk = GC.AllocateUninitializedArray<byte>(2 << 20);
        bool isRead = false;
        double readSeconds = 0;
        StoreView view = store.BeginView();
        Thread reader = new(() =>
        {
            long readBegun = Stopwatch.GetTimestamp();
            long read = 0;
            long bytes = 0;
            for (int length = view.Read(chunk, out int entries); length > 0; length = view.Read(chunk, out entries))
            {
                read += entries;
                bytes += length;
                TimeSpan ahead = TimeSpan.FromSeconds(bytes / ReadBytesPerSecond) - Stopwatch.GetElapsedTime(readBegun);
                if (ahead > TimeSpan.Zero)
                    Thread.Sleep(ahead);
            }
            Invariant.Hold(read == view.Count);
            readSeconds = Stopwatch.GetElapsedTime(readBegun).TotalSeconds;
            Volatile.Write(ref isRead, true);
        });
        reader.Start();
        while (!Volatile.Read(ref isRead))
            Put(store, record, key, random.Next(keys), viewed);
        reader.Join();
        view.Dispose();
        Print($"a view read by another thread in {readSeconds:F1} s, {view.Count / readSeconds:N0} entries a second");
        viewed.Print("put while the view is read");
        while (!store.CanBeginView)
            Put(store, record, key, random.Next(keys), after);
        after.Print("put while the slots that the view held are freed");
        Print($"resident after: {(Resident() - residentBefore) / (double)keys:F1} bytes a key");
        collections = GC.CollectionCount(0) - collections;
        double pausedMilliseconds = (GC.GetTotalPauseDuration() - paused).TotalMilliseconds;
        Print($"collections: {collections}, with pauses of {pausedMilliseconds:F2} ms in total");
        Print($"managed heap: {objects:N0} bytes before, {GC.GetTotalMemory(forceFullCollection: true):N0} after");
    }

    private static void PrintPages(KeyValueStore store, byte[] key, Random random, int keys, bool withValues)
    {
        KeyPage page = new();
        KeyRange range = new([], key, KeyPage.KeysMax, withValues);
        Latencies filling = new();
        for (int i = 0; i < 2_000; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(key, random.Next(keys));
            long clock = ThreadClock.Nanoseconds;
            long begun = Stopwatch.GetTimestamp();
            page.Fill(store, range);
            filling.Add(Stopwatch.GetTimestamp() - begun, ThreadClock.Nanoseconds - clock);
        }
        filling.Print(withValues ? "page of 1,000 keys with values" : "page of 1,000 keys");
    }

    private static void Put(KeyValueStore store, byte[] record, byte[] key, int number, Latencies latencies)
    {
        BinaryPrimitives.WriteInt64LittleEndian(key, number);
        int payload = PutCommand.PayloadLength(KeyBytes, ValueBytes);
        int at = PutCommand.WriteKey(record.AsSpan(Record.HeaderSize, payload), key);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(Record.HeaderSize + at), store.AppliedIndex);
        RecordHeader header = new(RecordType.Command, new LogPosition(1, store.AppliedIndex + 1), payload, 0);
        long clock = ThreadClock.Nanoseconds;
        long begun = Stopwatch.GetTimestamp();
        store.Apply(header, record);
        long ended = Stopwatch.GetTimestamp();
        latencies.Add(ended - begun, ThreadClock.Nanoseconds - clock);
    }

    private static long Resident()
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (!line.StartsWith("VmRSS:", StringComparison.Ordinal))
                continue;
            ReadOnlySpan<char> kibibytes = line.AsSpan(6).TrimEnd("kB ");
            return long.Parse(kibibytes, NumberStyles.Integer, CultureInfo.InvariantCulture) * 1024;
        }
        return 0;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
