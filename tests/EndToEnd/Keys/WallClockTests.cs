using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

[Collection(nameof(Alone))]
public sealed class WallClockTests
{
    /// <summary>
    /// Replaces the C library's functions that read the wall clock. The monotonic clock stays as it is.
    /// </summary>
    private const string DayAhead = """
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        enum { Day = 24 * 3600 };

        int clock_gettime(clockid_t clock, struct timespec *now)
        {
            int result = syscall(SYS_clock_gettime, clock, now);
            if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
                now->tv_sec += Day;
            return result;
        }

        int gettimeofday(struct timeval *restrict now, void *restrict zone)
        {
            struct timespec time;
            clock_gettime(CLOCK_REALTIME, &time);
            now->tv_sec = time.tv_sec;
            now->tv_usec = time.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *now)
        {
            struct timespec time;
            clock_gettime(CLOCK_REALTIME, &time);
            if (now)
                *now = time.tv_sec;
            return time.tv_sec;
        }
        """;

    /// <summary>
    /// Only the member whose wall clock is a day ahead can win the election: the third one lacks the writes.
    /// </summary>
    [Fact]
    public void New_leader_whose_wall_clock_is_a_day_ahead_ends_no_lease_early_and_forgets_no_outcome()
    {
        using TemporaryDirectory directory = new();
        string library = directory.PathOf("day-ahead.so");
        Assert.SkipUnless(IsCompiled(directory.PathOf("day-ahead.c"), library), "clang is missing");
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode[] others = [.. cluster.Others(leader)];
        (ClusterNode ahead, ClusterNode behind) = (others[0], others[1]);
        ahead.Kill();
        ahead.RestartFromShell($"export LD_PRELOAD='{library}'; exec \"$0\" \"$@\"");
        ahead.WaitUntilReady();
        behind.Kill();

        long put = Stopwatch.GetTimestamp();
        HttpAnswer lease = leader.TryExchange("PUT", "/lease", "me"u8, "RaftFast-TTL: 3")!;
        Assert.Equal(204, lease.Status);
        Assert.Equal(204, leader.TryExchange("PUT", "/kept", "me"u8, "RaftFast-TTL: 3600")!.Status);
        HttpAnswer first = leader.TryExchange("PUT", "/once", "1"u8, "Idempotency-Key: \"a\"")!;
        Assert.Equal(204, first.Status);
        Assert.Equal(204, leader.TryExchange("PUT", "/once", "2"u8)!.Status);
        Assert.Equal(0, ahead.Process.TermLed);
        leader.Kill();
        behind.Restart();
        cluster.WaitUntilReady();
        Assert.NotEqual(0, ahead.Process.TermLed);

        foreach (ClusterNode node in cluster.Running)
        {
            HttpAnswer kept = node.TryExchange("GET", "/kept")!;
            Assert.Equal(200, kept.Status);
            Assert.Equal(node == ahead, DateOf(kept) > DateTimeOffset.UtcNow.AddHours(12));
            HttpAnswer retry = node.TryExchange("PUT", "/once", "1"u8, "Idempotency-Key: \"a\"")!;
            Assert.Equal((204, first.Tag), (retry.Status, retry.Tag));
            Assert.Equal("2", node.TryExchange("GET", "/once")!.Text);
        }
        Eventually.True(
            () => ahead.TryExchange("GET", "/lease")?.Status == 404, () => $"the lease ends, {cluster}");
        Assert.True(Stopwatch.GetElapsedTime(put) >= TimeSpan.FromSeconds(3), "the lease has ended early");
    }

    private static DateTimeOffset DateOf(HttpAnswer answer) =>
        DateTimeOffset.Parse(answer.Fields["Date"], CultureInfo.InvariantCulture);

    /// <returns>False if there is no clang, which only the native binary needs.</returns>
    private static bool IsCompiled(string source, string library)
    {
        File.WriteAllText(source, DayAhead);
        try
        {
            using Process clang = Process.Start("clang", ["-shared", "-fPIC", "-o", library, source]);
            clang.WaitForExit();
            Assert.Equal(0, clang.ExitCode);
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
