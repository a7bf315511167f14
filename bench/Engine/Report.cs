namespace RaftFast.Engine;

internal static class Report
{
    public const string CsvHeader =
        "system,members,clients,outstanding,value,commits,seconds,commits_per_s,p50_ms,p90_ms,p99_ms,p999_ms,"
        + "cpu_s_per_million,writes_per_s,entries_per_write,log_bytes_per_commit,"
        + "allocated,allocated_per_commit,gen0,gen1,gen2,failed";

    public const string TableHeader =
        "| clients × outstanding | value | commits/s | p50 ms | p90 ms | p99 ms | p99.9 ms | CPU s per million "
        + "| writes/s | entries per write | log bytes per commit | bytes allocated per commit | GCs |\n"
        + "|---|---|---|---|---|---|---|---|---|---|---|---|---|";

    public static string Csv(string system, int members, Measurement measured)
    {
        Workload workload = measured.Workload;
        (int gen0, int gen1, int gen2) = measured.Collections;
        return $"{system},{members},{workload.Clients},{workload.Outstanding},{workload.ValueBytes},"
            + $"{measured.Commits},{measured.Seconds:F3},{measured.CommitsPerSecond:F0},"
            + $"{measured.Percentile(50):F3},{measured.Percentile(90):F3},{measured.Percentile(99):F3},"
            + $"{measured.Percentile(99.9):F3},{measured.ProcessorSecondsPerMillion:F3},{measured.WritesPerSecond:F0},"
            + $"{measured.EntriesPerWrite:F1},{measured.LogBytesPerCommit:F1},{measured.AllocatedBytes},"
            + $"{measured.AllocatedBytesPerCommit:F4},{gen0},{gen1},{gen2},{measured.Failed}";
    }

    public static string TableLine(Measurement measured)
    {
        Workload workload = measured.Workload;
        return $"| {workload.Clients} × {workload.Outstanding} | {workload.ValueBytes} "
            + $"| {measured.CommitsPerSecond:N0} "
            + $"| {measured.Percentile(50):F2} | {measured.Percentile(90):F2} | {measured.Percentile(99):F2} "
            + $"| {measured.Percentile(99.9):F2} | {measured.ProcessorSecondsPerMillion:F2} "
            + $"| {measured.WritesPerSecond:N0} | {measured.EntriesPerWrite:N1} | {measured.LogBytesPerCommit:N0} "
            + $"| {measured.AllocatedBytesPerCommit:F2} | {measured.Collections.Gen0} |";
    }

    public static void Print(string system, Measurement measured)
    {
        (int gen0, int gen1, int gen2) = measured.Collections;
        Console.WriteLine(
            $"{system}: {measured.CommitsPerSecond:N0} commits/s "
            + $"({measured.Commits:N0} in {measured.Seconds:F2} s; {measured.Failed:N0} attempts failed)");
        Console.WriteLine(
            $"  latency ms: p50 {measured.Percentile(50):F3}, p90 {measured.Percentile(90):F3}, "
            + $"p99 {measured.Percentile(99):F3}, p99.9 {measured.Percentile(99.9):F3}");
        Console.WriteLine($"  CPU: {measured.ProcessorSecondsPerMillion:F2} s per million commits");
        if (measured.WritesPerSecond is { } writes)
        {
            Console.WriteLine(
                $"  log: {writes:N0} writes/s of all members, {measured.EntriesPerWrite:N1} entries per write, "
                + $"{measured.LogBytesPerCommit:N1} bytes per commit and member");
        }
        Console.WriteLine(
            $"  heap: {measured.AllocatedBytes:N0} bytes allocated, {measured.AllocatedBytesPerCommit:F4} per commit; "
            + $"collections {gen0}/{gen1}/{gen2} (gen 0/1/2)");
    }
}
