using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using RaftFast.Storage;

namespace RaftFast.Bench;

/// <summary>
/// What a write can't do without, each alone and at its barest: a frame to another thread over loopback TCP and one back, and a 4 KiB
/// write through FileDisk. The median of each, in microseconds, on one line: for bench/compare/targets.
/// </summary>
internal static class Floor
{
    private const int Times = 2_000;
    private const int FrameBytes = 128;
    private const int WriteBytes = 4096;

    public static void Run(string directory) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Median(RoundTrips()):F0} {Median(Writes(directory)):F0}"));

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
        double[] micros = Timed(_ =>
        {
            near.GetStream().Write(frame);
            near.GetStream().ReadExactly(frame);
        });
        echo.Join();
        return micros;
    }

    private static unsafe double[] Writes(string directory)
    {
        string folder = Path.Combine(directory, $"floor-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        FileDisk disk = new(folder, DiskWriteMode.Direct);
        disk.Create("file", (long)Times * WriteBytes).Dispose();
        byte* memory = (byte*)NativeMemory.AlignedAlloc(WriteBytes, IDisk.Alignment);
        new Span<byte>(memory, WriteBytes).Fill(1);
        double[] micros;
        using (IDiskFile file = disk.Open("file"))
            micros = Timed(i => file.Write((long)i * WriteBytes, new ReadOnlySpan<byte>(memory, WriteBytes)));
        NativeMemory.AlignedFree(memory);
        Directory.Delete(folder, recursive: true);
        return micros;
    }

    private static double[] Timed(Action<int> action)
    {
        double[] micros = new double[Times];
        for (int i = 0; i < Times; i++)
        {
            long begun = Stopwatch.GetTimestamp();
            action(i);
            micros[i] = Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
        }
        return micros;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
