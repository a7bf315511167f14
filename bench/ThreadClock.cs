using System.Runtime.InteropServices;

namespace RaftFast.Bench;

/// <summary>
/// Processor time of the calling thread. Time that other programs take on a shared machine doesn't count. Linux only.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadProcessorTime = 3;

    public static long Nanoseconds
    {
        get
        {
            GetTime(ThreadProcessorTime, out TimeSpec time);
            return time.Seconds * 1_000_000_000 + time.Nanoseconds;
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
