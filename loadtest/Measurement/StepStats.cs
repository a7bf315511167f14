using HdrHistogram;

namespace RaftFast.LoadTest.Measurement;

/// <summary>Counts and latencies of one step so far. Any thread may record; only one thread may collect.</summary>
internal sealed class StepStats(string name)
{
    private readonly Recorder ok = new(
        1, Latency.MicrosecondsMax, Latency.Digits,
        (id, min, max, digits) => new LongConcurrentHistogram(id, min, max, digits));

    private readonly Dictionary<string, long> failures = [];
    private HistogramBase? interval;
    private long bytes;
    private long failed;

    public string Name => name;

    /// <summary>Latencies of the responses that were Ok and have been collected.</summary>
    public LongHistogram Latencies { get; } = Latency.NewHistogram();

    public long Bytes => Volatile.Read(ref bytes);

    public long Failed => Volatile.Read(ref failed);

    /// <summary>Number of failed responses, by status.</summary>
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

    /// <summary>Adds the latencies since the last call to <see cref="Latencies"/>.</summary>
    /// <returns>The latencies since the last call, valid until the next call.</returns>
    public HistogramBase Collect()
    {
        interval = ok.GetIntervalHistogram(interval);
        Latencies.Add(interval);
        return interval;
    }
}
