using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using RaftFast.Storage.Disk;

namespace RaftFast.Bench;

/// <summary>
/// Measures durable writes a second through FileDisk, sequential on preallocated files. Compares O_DIRECT|O_DSYNC with
/// write and fdatasync, for one writer and for three writers at once, like three members on one disk. The two modes
/// take turns, and the medians are printed.
/// </summary>
internal static class DiskSync
{
    private const int Rounds = 7;
    private const int WritesForEach = 600;

    public static void Run(string directory)
    {
        Console.WriteLine(
            "| bytes × writers | O_DIRECT, O_DSYNC: writes/s | median µs | "
            + "write, fdatasync: writes/s | median µs | ratio |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (int bytes in (ReadOnlySpan<int>)[4096, 65536])
        {
            foreach (int writers in (ReadOnlySpan<int>)[1, 3])
                Compare(directory, bytes, writers);
        }
    }

    /// <summary>
    /// Prints the rate at which each of three simultaneous writers makes 64 KiB durable: the faster one of writes of 64
    /// KiB and of 512 KiB. For bench/compare/targets.
    /// </summary>
    public static void RunRate(string directory)
    {
        double small = Measure(directory, DiskWriteMode.Direct, 64 * 1024, 3).Rate / 3;
        double large = Measure(directory, DiskWriteMode.Direct, 512 * 1024, 3).Rate / 3 * 8;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Math.Max(small, large):F0}"));
    }

    private static void Compare(string directory, int bytes, int writers)
    {
        List<(double Rate, double Micros)> direct = [];
        List<(double Rate, double Micros)> buffered = [];
        for (int round = 0; round < Rounds; round++)
        {
            direct.Add(Measure(directory, DiskWriteMode.Direct, bytes, writers));
            buffered.Add(Measure(directory, DiskWriteMode.Buffered, bytes, writers));
        }
        (double Rate, double Micros) a = Median(direct);
        (double Rate, double Micros) b = Median(buffered);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {bytes:N0} × {writers} | {a.Rate:N0} | {a.Micros:N0} | {b.Rate:N0} | {b.Micros:N0} "
            + $"| {a.Rate / b.Rate:F2} |"));
    }

    public static (double Rate, double Micros) Measure(string directory, DiskWriteMode mode, int bytes, int writers)
    {
        string folder = Path.Combine(directory, $"disk-sync-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        FileDisk disk = new(folder, mode);
        double[][] latencies = new double[writers][];
        Thread[] threads = new Thread[writers];
        for (int i = 0; i < writers; i++)
        {
            int writer = i;
            disk.Create($"file-{writer}", (long)bytes * WritesForEach).Dispose();
            threads[i] = new Thread(() => latencies[writer] = Write(disk, $"file-{writer}", bytes));
        }
        long begun = Stopwatch.GetTimestamp();
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        Directory.Delete(folder, recursive: true);
        double[] all = [.. latencies.SelectMany(each => each).Order()];
        return (all.Length / seconds, all[all.Length / 2]);
    }

    private static unsafe double[] Write(FileDisk disk, string name, int bytes)
    {
        double[] micros = new double[WritesForEach];
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, IDisk.Alignment);
        new Span<byte>(memory, bytes).Fill(1);
        using (IDiskFile file = disk.Open(name))
        {
            for (int i = 0; i < WritesForEach; i++)
            {
                long begun = Stopwatch.GetTimestamp();
                file.Write((long)i * bytes, new ReadOnlySpan<byte>(memory, bytes));
                micros[i] = Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
            }
        }
        NativeMemory.AlignedFree(memory);
        return micros;
    }

    private static (double Rate, double Micros) Median(List<(double Rate, double Micros)> measured)
    {
        IEnumerable<double> rates = measured.Select(m => m.Rate).Order();
        IEnumerable<double> micros = measured.Select(m => m.Micros).Order();
        return (rates.ElementAt(Rounds / 2), micros.ElementAt(Rounds / 2));
    }
}
