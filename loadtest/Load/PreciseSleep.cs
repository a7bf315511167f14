using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RaftFast.LoadTest.Load;

/// <summary>
/// Sleeps by clock_nanosleep(2), which wakes within about 60 µs. Thread.Sleep counts in milliseconds, and a node
/// answers in less than a millisecond.
/// </summary>
internal static partial class PreciseSleep
{
    private const int ClockMonotonic = 1;
    private const int AbsoluteTime = 1;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>
    /// Sleeps until <paramref name="timestamp"/>. On Linux a Stopwatch's timestamp is CLOCK_MONOTONIC in nanoseconds.
    /// </summary>
    public static void Until(long timestamp)
    {
        while (true)
        {
            long missing = timestamp - Stopwatch.GetTimestamp();
            if (missing <= 0)
                return;
            if (OperatingSystem.IsLinux() && Stopwatch.Frequency == NanosecondsPerSecond)
            {
                (long seconds, long nanoseconds) = Math.DivRem(timestamp, NanosecondsPerSecond);
                TimeSpec until = new() { Seconds = (nint)seconds, Nanoseconds = (nint)nanoseconds };
                Sleep(ClockMonotonic, AbsoluteTime, until, 0);
            }
            else
            {
                Thread.Sleep(Math.Max(1, (int)(missing * 1000 / Stopwatch.Frequency)));
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int Sleep(int clock, int flags, in TimeSpec request, nint remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
