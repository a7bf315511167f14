using System.Collections.Concurrent;
using System.Diagnostics;
using HdrHistogram;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Measurement;

/// <summary>Something that was done to the cluster during a run.</summary>
/// <param name="At">Time since recording began.</param>
internal readonly record struct RunEvent(TimeSpan At, string Text);

/// <summary>Counts and latencies of all steps together in one short interval of a run.</summary>
/// <param name="At">End of the interval, since recording began.</param>
/// <param name="Longest">Longest latency. Like the other latencies, it is zero if no response was Ok.</param>
internal readonly record struct Sample(
    TimeSpan At, TimeSpan Length, long Ok, long Failed, TimeSpan Median, TimeSpan NinetyNinth, TimeSpan Longest);

/// <summary>
/// The measurements of a run. Any thread may record, add an event or take a sample; only one thread may use the other
/// members.
/// </summary>
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

    /// <summary>
    /// Delays between an iteration's due time and its dispatch by the open loop, which the generator itself causes.
    /// </summary>
    public HistogramBase Lag => lag;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(0, isRecording ? Stopwatch.GetTimestamp() - begun : elapsed);

    /// <summary>Longest time without a response that was Ok.</summary>
    public TimeSpan Gap => Stopwatch.GetElapsedTime(0, gap);

    /// <summary>Begins recording. Earlier responses are warm-up and not counted.</summary>
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
            JoinShortLastSample();
            isRecording = false;
            elapsed = now - begun;
        }
    }

    /// <summary>Begins a new gap. Called after a pause in the load, which does not count as a gap.</summary>
    public void Rest() => Volatile.Write(ref lastOk, Stopwatch.GetTimestamp());

    public void Record(string step, in Response response, long due, long done)
    {
        if (!isRecording)
            return;
        if (!steps.TryGetValue(step, out StepStats? stats))
            stats = steps.GetOrAdd(step, static name => new StepStats(name));
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
        if (!isRecording)
            return;
        long late = Latency.Microseconds(Stopwatch.GetTimestamp() - due);
        lag.RecordValue(Math.Clamp(late, 0, Latency.MicrosecondsMax));
    }

    public void Say(string text)
    {
        lock (events)
            events.Add(new RunEvent(Elapsed, text));
    }

    /// <summary>Ends the current interval and begins the next. Returns false while nothing is recorded.</summary>
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
            at, at - since, all.TotalCount, failed - failedBefore,
            Latency.At(all, 50), Latency.At(all, 99), Latency.At(all, 100));
        failedBefore = failed;
        samples.Add(sample);
        return sample;
    }

    /// <summary>
    /// Joins the run's last sample to the sample before if the last is short: a short interval has no meaningful rate.
    /// </summary>
    private void JoinShortLastSample()
    {
        if (samples.Count < 2 || samples[^1].Length >= samples[^2].Length / 2)
            return;
        Sample last = samples[^1];
        Sample before = samples[^2];
        samples.RemoveAt(samples.Count - 1);
        samples[^1] = before with
        {
            At = last.At,
            Length = before.Length + last.Length,
            Ok = before.Ok + last.Ok,
            Failed = before.Failed + last.Failed,
            Longest = before.Longest > last.Longest ? before.Longest : last.Longest,
        };
    }

    /// <summary>Notes that a response was Ok at this time. Two threads may call this in the wrong order.</summary>
    private void Stretch(long now)
    {
        long last = RaiseTo(ref lastOk, now);
        if (now > last)
            RaiseTo(ref gap, now - last);
    }

    /// <returns>The value before.</returns>
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
