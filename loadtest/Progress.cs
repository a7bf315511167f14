using System.Globalization;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest;

/// <summary>Samples a run while it lasts, and prints a line each second.</summary>
internal sealed class Progress(Measurements measurements, TextWriter output)
{
    private static readonly TimeSpan SampleInterval = TimeSpan.FromMilliseconds(250);
    private const int SamplesPerLine = 4;

    private long ok;
    private long failed;
    private TimeSpan length;
    private TimeSpan longest;
    private int samples;
    private int events;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using PeriodicTimer timer = new(SampleInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                if (measurements.TryTakeSample(out Sample sample))
                    Show(sample);
            }
        }
        catch (OperationCanceledException)
        {
            ShowEvents();
        }
    }

    private void Show(in Sample sample)
    {
        ok += sample.Ok;
        failed += sample.Failed;
        length += sample.Length;
        longest = sample.Longest > longest ? sample.Longest : longest;
        ShowEvents();
        if (++samples % SamplesPerLine != 0)
            return;
        string rate = string.Create(CultureInfo.InvariantCulture,
            $"{sample.At.TotalSeconds,7:F1} s  {ok / length.TotalSeconds,9:N0}/s");
        string percentiles = $"p50 {Duration.Text(sample.Median),8}  p99 {Duration.Text(sample.NinetyNinth),8}";
        output.WriteLine($"{rate}  {percentiles}  longest {Duration.Text(longest),8}  failed {failed}");
        (ok, failed, length, longest) = (0, 0, TimeSpan.Zero, TimeSpan.Zero);
    }

    private void ShowEvents()
    {
        IReadOnlyList<RunEvent> all = measurements.Events;
        for (; events < all.Count; events++)
        {
            RunEvent next = all[events];
            string at = string.Create(CultureInfo.InvariantCulture, $"{next.At.TotalSeconds,7:F1} s");
            output.WriteLine($"{at}  {next.Text}");
        }
    }
}
