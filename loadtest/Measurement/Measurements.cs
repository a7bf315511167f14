using System.Collections.Concurrent;
using System.Diagnostics;
using HdrHistogram;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Measurement;

/// <summary>What a run measures. Recording, saying and sampling are for any thread, all else for one.</summary>
internal sealed class Measurements
{
    private readonly ConcurrentDictionary<string, StepStats> steps = new();
    private readonly LongConcurrentHistogram lag = new(1, Latency.MicrosecondsMax, Latency.Digits);
    private readonly List<Sample> samples = [];
    private readonly List<RunEvent> events = [];

    private volatile bool isRecording;
    private long begun;
    private long elapsed;
    private long lastOk;
    private long gap;
    private long failedBefore;

    public IReadOnlyList<StepStats> Steps => [.. steps.Values.OrderBy(step => step.Name, StringComparer.Ordinal)];

    public IReadOnlyList<Sample> Samples => samples;

    public IReadOnlyList<RunEvent> Events
    {
        get
        {
            lock (events)
                return [.. events];
        }
    }

    /// <summary>By how much the open loop woke up later than an iteration was due: the generator's own doing.</summary>
    public HistogramBase Lag => lag;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(0, isRecording ? Stopwatch.GetTimestamp() - begun : elapsed);

    /// <summary>The longest time in which nothing was Ok.</summary>
    public TimeSpan Gap => Stopwatch.GetElapsedTime(0, gap);

    /// <summary>What was recorded before was warm-up, and is not counted.</summary>
    public void Begin()
    {
        begun = lastOk = Stopwatch.GetTimestamp();
        isRecording = true;
    }

    public void End()
    {
        lock (samples)
        {
            long now = Stopwatch.GetTimestamp();
            Stretch(now);
            TakeSample(now);
            isRecording = false;
            elapsed = now - begun;
        }
    }

    /// <summary>A time without load begins or ends: it is no gap.</summary>
    public void Rest() => Volatile.Write(ref lastOk, Stopwatch.GetTimestamp());

    public void Record(string step, in Response response, long due, long done)
    {
        if (!isRecording)
            return;
        StepStats stats = steps.TryGetValue(step, out StepStats? known) ? known : steps.GetOrAdd(step, static name => new StepStats(name));
        if (response.IsOk)
        {
            stats.RecordOk(Latency.Microseconds(done - due), response.Bytes);
            Stretch(done);
        }
        else
        {
            stats.RecordFailure(response.Status);
        }
    }

    public void Dispatched(long due)
    {
        if (isRecording)
            lag.RecordValue(Math.Clamp(Latency.Microseconds(Stopwatch.GetTimestamp() - due), 0, Latency.MicrosecondsMax));
    }

    public void Say(string text)
    {
        lock (events)
            events.Add(new RunEvent(Elapsed, text));
    }

    /// <summary>Closes the present interval.</summary>
    /// <returns>False while nothing is recorded.</returns>
    public bool TryTakeSample(out Sample sample)
    {
        lock (samples)
        {
            sample = isRecording ? TakeSample(Stopwatch.GetTimestamp()) : default;
            return isRecording;
        }
    }

    private Sample TakeSample(long now)
    {
        LongHistogram all = Latency.NewHistogram();
        long failed = 0;
        foreach (StepStats step in steps.Values)
        {
            all.Add(step.Collect());
            failed += step.Failed;
        }
        TimeSpan at = Stopwatch.GetElapsedTime(begun, now);
        TimeSpan since = samples.Count == 0 ? TimeSpan.Zero : samples[^1].At;
        Sample sample = new(
            at, at - since, all.TotalCount, failed - failedBefore, Latency.At(all, 50), Latency.At(all, 99), Latency.At(all, 100));
        failedBefore = failed;
        // What is left at the end is too short to have a rate of its own.
        if (samples.Count > 0 && sample.Length < samples[^1].Length / 2)
        {
            Sample last = samples[^1];
            sample = last with
            {
                At = at,
                Length = last.Length + sample.Length,
                Ok = last.Ok + sample.Ok,
                Failed = last.Failed + sample.Failed,
                Longest = last.Longest > sample.Longest ? last.Longest : sample.Longest,
            };
            samples.RemoveAt(samples.Count - 1);
        }
        samples.Add(sample);
        return sample;
    }

    /// <summary>Something was Ok at this time; two threads may say so in the wrong order.</summary>
    private void Stretch(long now)
    {
        long last = RaiseTo(ref lastOk, now);
        if (now > last)
            RaiseTo(ref gap, now - last);
    }

    /// <returns>What it was before.</returns>
    private static long RaiseTo(ref long greatest, long value)
    {
        long before = Volatile.Read(ref greatest);
        while (value > before)
        {
            long seen = Interlocked.CompareExchange(ref greatest, value, before);
            if (seen == before)
                break;
            before = seen;
        }
        return before;
    }
}
