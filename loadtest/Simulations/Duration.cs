using System.Buffers;
using System.Globalization;

namespace RaftFast.LoadTest.Simulations;

/// <summary>A duration as text: a number and us, ms, s or min.</summary>
internal static class Duration
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        int digits = text.IndexOfAnyExcept(Digits);
        if (digits <= 0)
            return false;
        NumberStyles style = NumberStyles.AllowDecimalPoint;
        if (!double.TryParse(text[..digits], style, CultureInfo.InvariantCulture, out double number))
            return false;
        double seconds = text[digits..] switch
        {
            "us" or "µs" => number / 1e6,
            "ms" => number / 1e3,
            "s" => number,
            "min" => number * 60,
            _ => -1,
        };
        if (seconds is < 0 or > 86_400)
            return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>Formats a duration to three digits, in the unit that fits.</summary>
    public static string Text(TimeSpan duration)
    {
        double micros = duration.TotalMicroseconds;
        return micros switch
        {
            < 1_000 => Text(micros, "µs"),
            < 1_000_000 => Text(micros / 1e3, "ms"),
            _ => Text(micros / 1e6, "s"),
        };
    }

    private static string Text(double number, string unit)
    {
        string format = number switch { < 10 => "0.##", < 100 => "0.#", _ => "0" };
        return $"{number.ToString(format, CultureInfo.InvariantCulture)} {unit}";
    }
}
