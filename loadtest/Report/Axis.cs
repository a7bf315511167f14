namespace RaftFast.LoadTest.Report;

/// <summary>A linear or logarithmic scale: positions of values, and values that get a mark.</summary>
internal sealed class Axis
{
    private const int MarksWanted = 5;

    private readonly bool isLogarithmic;
    private readonly double low;
    private readonly double high;

    /// <param name="values">
    /// Values that the scale has to show, at least one of them finite. On a logarithmic scale, values below
    /// <paramref name="floor"/> lie on the edge.
    /// </param>
    public Axis(
        string title, IEnumerable<double> values, Func<double, string> text, bool isLogarithmic = false,
        double floor = 0)
    {
        Title = title;
        Text = text;
        this.isLogarithmic = isLogarithmic;
        double smallest = double.MaxValue;
        double greatest = floor;
        foreach (double value in values)
        {
            smallest = Math.Min(smallest, Math.Max(value, floor));
            greatest = Math.Max(greatest, value);
        }
        if (isLogarithmic)
        {
            low = Math.Pow(10, Math.Floor(Math.Log10(Math.Min(smallest, greatest))));
            high = Math.Pow(10, Math.Ceiling(Math.Log10(greatest)));
            if (high <= low)
                high = low * 10;
        }
        else
        {
            low = 0;
            high = greatest > 0 ? greatest : 1;
        }
    }

    public string Title { get; }

    public Func<double, string> Text { get; }

    /// <summary>Position of a value, from 0 to 1.</summary>
    public double Place(double value)
    {
        double bounded = Math.Clamp(value, low, high);
        return isLogarithmic ? Math.Log10(bounded / low) / Math.Log10(high / low) : bounded / high;
    }

    public IReadOnlyList<double> Marks()
    {
        List<double> marks = [];
        if (isLogarithmic)
        {
            for (double mark = low; mark <= high * 1.001; mark *= 10)
                marks.Add(mark);
            return marks;
        }
        double rough = high / MarksWanted;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 } * power;
        for (int i = 0; i * step <= high * 1.001; i++)
            marks.Add(i * step);
        return marks;
    }
}
