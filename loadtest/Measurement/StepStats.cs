using HdrHistogram;

namespace RaftFast.LoadTest.Measurement;

/// <summary>What one step has come to so far. Recording is for any thread, collecting for one.</summary>
internal sealed class StepStats(string name)
{
    private readonly Recorder ok = new(
        1, Latency.MicrosecondsMax, Latency.Digits, (id, min, max, digits) => new LongConcurrentHistogram(id, min, max, digits));

    private readonly Dictionary<string, long> failures = [];
    private HistogramBase? interval;
    private long bytes;
    private long failed;

    public string Name => name;

    /// <summary>Of all responses that were Ok and have been collected.</summary>
    public LongHistogram Latencies { get; } = Latency.NewHistogram();

    public long Bytes => Volatile.Read(ref bytes);

    public long Failed => Volatile.Read(ref failed);

    /// <summary>How many failed, by status.</summary>
    public IReadOnlyDictionary<string, long> Failures
    {
        get
        {
            lock (failures)
                return new Dictionary<string, long>(failures);
        }
    }

    public void RecordOk(long microseconds, long answerBytes)
    {
        ok.RecordValue(Math.Clamp(microseconds, 0, Latency.MicrosecondsMax));
        Interlocked.Add(ref bytes, answerBytes);
    }

    public void RecordFailure(string status)
    {
        Interlocked.Increment(ref failed);
        lock (failures)
            failures[status] = failures.GetValueOrDefault(status) + 1;
    }

    /// <summary>Adds what was recorded since the last time to <see cref="Latencies"/>.</summary>
    /// <returns>The same, good until the next time.</returns>
    public HistogramBase Collect()
    {
        interval = ok.GetIntervalHistogram(interval);
        Latencies.Add(interval);
        return interval;
    }
}
