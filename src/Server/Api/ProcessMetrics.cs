using System.Diagnostics;
using RaftFast.Server.Lifetime;

namespace RaftFast.Server.Api;

/// <summary>The process and its disk, under the names that Prometheus' own client libraries use.</summary>
internal static class ProcessMetrics
{
    public static void Write(PrometheusText text, string dataDirectory)
    {
        using Process process = Process.GetCurrentProcess();
        text.Counter("process_cpu_seconds_total", "Processor time of all threads.",
            process.TotalProcessorTime.TotalSeconds);
        text.Gauge("process_resident_memory_bytes", "Resident memory.", process.WorkingSet64);
        text.Gauge("process_start_time_seconds", "Start of the process since the Unix epoch. A change is a restart.",
            new DateTimeOffset(process.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000.0);
        if (OperatingSystem.IsLinux())
        {
            text.Gauge("process_open_fds", "Open descriptors. Compare process_max_fds; raise it with ulimit -n.",
                Directory.GetFileSystemEntries("/proc/self/fd").Length);
            text.Gauge("process_max_fds", "Maximum of open descriptors.", DescriptorLimit.Raise());
        }
        text.Counter("managed_allocated_bytes_total",
            "Bytes allocated on the managed heap. In a steady state only this page allocates; anything else is a bug.",
            GC.GetTotalAllocatedBytes());
        text.Counter("managed_collections_total", "Garbage collections. Each stops the member for a moment.")
            .Sample("generation=\"0\"", GC.CollectionCount(0))
            .Sample("generation=\"1\"", GC.CollectionCount(1))
            .Sample("generation=\"2\"", GC.CollectionCount(2));
        text.Gauge("managed_heap_bytes", "Bytes of the managed heap; keys and values are outside.",
            GC.GetTotalMemory(forceFullCollection: false));
        DriveInfo drive = new(dataDirectory);
        text.Gauge("disk_free_bytes", "Free space for the data directory. If less than a few GiB are left, make room.",
            drive.AvailableFreeSpace);
        text.Gauge("disk_size_bytes", "Size of the disk of the data directory.", drive.TotalSize);
        text.Gauge("build_info", "1; the label is the version of the program.")
            .Sample($"version=\"{ProgramVersion.Text}\"", 1);
    }
}
