using RaftFast.LoadTest.Load;

namespace RaftFast.LoadTest.Tests;

public sealed class DueTimesTests
{
    [Fact]
    public void A_constant_rate_is_evenly_spread_from_the_beginning()
    {
        DueTimes times = new(100, 100, TimeSpan.FromSeconds(3));
        Assert.Equal(300, times.Count);
        for (int i = 0; i < times.Count; i++)
            Assert.Equal(i * 0.01, times.At(i).TotalSeconds, 6);
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(1000, 0)]
    [InlineData(200, 700)]
    [InlineData(700, 200)]
    public void A_ramp_is_due_by_the_area_under_the_rate(double from, double to)
    {
        const double Seconds = 4;
        DueTimes times = new(from, to, TimeSpan.FromSeconds(Seconds));
        Assert.Equal((from + to) / 2 * Seconds, times.Count);
        TimeSpan before = TimeSpan.Zero;
        for (int i = 0; i < times.Count; i++)
        {
            TimeSpan at = times.At(i);
            double t = at.TotalSeconds;
            Assert.InRange(at, before, TimeSpan.FromSeconds(Seconds));
            Assert.Equal(i, (from * t) + ((to - from) / Seconds * t * t / 2), 1e-2);
            before = at;
        }
    }

    [Fact]
    public void At_a_rate_of_zero_no_iteration_is_due() =>
        Assert.Equal(0, new DueTimes(0, 0, TimeSpan.FromSeconds(1)).Count);
}
