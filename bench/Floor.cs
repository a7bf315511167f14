using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftFast.Storage.Disk;

namespace RaftFast.Bench;

/// <summary>
/// Measures the parts that every write needs, each in its simplest form. The first is the round trip of a frame to
/// another thread over loopback TCP. The second is a 4 KiB write through FileDisk, by one writer and by three at once
/// like three members on one disk. Prints the median of each, in microseconds, on one line, for bench/compare/targets.
/// </summary>
internal static class Floor
{
    private const int Times = 2_000;
    private const int FrameBytes = 128;

    public static void Run(string directory)
    {
        double roundTrip = Median(RoundTrips());
        double alone = Write(directory, writers: 1);
        double together = Write(directory, writers: 3);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{roundTrip:F0} {alone:F0} {together:F0}"));
    }

    private static double Write(string directory, int writers) =>
        DiskSync.Measure(directory, DiskWriteMode.Direct, 4096, writers).Micros;

    private static double[] RoundTrips()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using TcpClient near = new() { NoDelay = true };
        near.Connect((IPEndPoint)listener.LocalEndpoint);
        using TcpClient far = listener.AcceptTcpClient();
        far.NoDelay = true;
        Thread echo = new(() =>
        {
            byte[] frame = new byte[FrameBytes];
            for (int i = 0; i < Times; i++)
            {
                far.GetStream().ReadExactly(frame);
                far.GetStream().Write(frame);
            }
        });
        echo.Start();
        byte[] frame = new byte[FrameBytes];
        double[] micros = Timed(() =>
        {
            near.GetStream().Write(frame);
            near.GetStream().ReadExactly(frame);
        });
        echo.Join();
        return micros;
    }

    private static double[] Timed(Action action)
    {
        double[] micros = new double[Times];
        for (int i = 0; i < Times; i++)
        {
            long begun = Stopwatch.GetTimestamp();
            action();
            micros[i] = Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
        }
        return micros;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
