using System.Globalization;

namespace RaftFast.LoadTest.Simulations;

/// <summary>
/// Parses a simulation written like a call in C#: <c>Inject(rate: 500, interval: 1s, during: 10s)</c>.
/// </summary>
internal static class SimulationParser
{
    /// <summary>
    /// Maximum copies: half of the connections that a node's front serves, so that other clients find room.
    /// </summary>
    public const int CopiesMax = 1024;

    public const int RatePerSecondMax = 500_000;

    public static readonly TimeSpan DuringMax = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan DuringMin = TimeSpan.FromMilliseconds(1);

    private static readonly Dictionary<string, string[]> Parameters = new()
    {
        ["KeepConstant"] = ["copies", "during"],
        ["RampingConstant"] = ["copies", "during"],
        ["Inject"] = ["rate", "interval", "during"],
        ["RampingInject"] = ["rate", "interval", "during"],
        ["Pause"] = ["during"],
    };

    /// <param name="error">A line that says what is wrong and what is valid, or null.</param>
    public static LoadSimulation? TryParse(string text, out string? error)
    {
        Dictionary<string, string>? arguments = TrySplit(text, out string name, out error);
        if (arguments is null)
            return null;
        TimeSpan interval = TimeSpan.FromSeconds(1);
        if (!TryDuration(arguments, "during", DuringMin, DuringMax, out TimeSpan during, ref error)
            || !TryDuration(arguments, "interval", DuringMin, DuringMax, out interval, ref error)
            || !TryCount(arguments, "copies", CopiesMax, out int copies, ref error)
            || !TryCount(arguments, "rate", int.MaxValue, out int rate, ref error))
            return null;
        if (rate > RatePerSecondMax * interval.TotalSeconds)
        {
            error = $"{text}: the rate is above {RatePerSecondMax} a second, the maximum of this generator";
            return null;
        }
        return name switch
        {
            "KeepConstant" => new KeepConstant(copies, during),
            "RampingConstant" => new RampingConstant(copies, during),
            "Inject" => new Inject(rate, interval, during),
            "RampingInject" => new RampingInject(rate, interval, during),
            _ => new Pause(during),
        };
    }

    /// <summary>
    /// Splits into name and arguments. An argument without a name gets the name of the parameter at its position.
    /// </summary>
    private static Dictionary<string, string>? TrySplit(string text, out string name, out string? error)
    {
        error = null;
        int open = text.IndexOf('(', StringComparison.Ordinal);
        name = open < 0 ? text.Trim() : text[..open].Trim();
        if (open < 0 || !text.TrimEnd().EndsWith(')') || !Parameters.TryGetValue(name, out string[]? parameters))
        {
            error = $"'{text}' is not a simulation; write it like {Examples()}";
            return null;
        }
        string[] given = text.TrimEnd()[(open + 1)..^1].Split(',');
        Dictionary<string, string> arguments = [];
        for (int i = 0; i < given.Length; i++)
        {
            string[] parts = given[i].Split(':', 2);
            string parameter = parts.Length == 2 ? parts[0].Trim() : i < parameters.Length ? parameters[i] : "";
            if (!parameters.Contains(parameter) || !arguments.TryAdd(parameter, parts[^1].Trim()))
            {
                error = $"{text}: '{given[i].Trim()}' is not one of its parameters; "
                    + $"give each of these once: {string.Join(", ", parameters)}";
                return null;
            }
        }
        foreach (string parameter in parameters)
        {
            if (arguments.ContainsKey(parameter))
                continue;
            error = $"{text}: {parameter} is missing";
            return null;
        }
        return arguments;
    }

    private static string Examples() =>
        "KeepConstant(copies: 64, during: 10s), RampingConstant(copies: 64, during: 10s), "
        + "Inject(rate: 500, interval: 1s, during: 10s), RampingInject(rate: 500, interval: 1s, during: 10s) "
        + "or Pause(during: 1s)";

    private static bool TryDuration(
        Dictionary<string, string> arguments, string name, TimeSpan min, TimeSpan max, out TimeSpan value,
        ref string? error)
    {
        value = TimeSpan.FromSeconds(1);
        if (!arguments.TryGetValue(name, out string? text))
            return true;
        if (Duration.TryParse(text, out value) && value >= min && value <= max)
            return true;
        error = $"{name} is '{text}'; it must be a time like 500ms, 10s or 2min, "
            + $"from {Duration.Text(min)} to {Duration.Text(max)}";
        return false;
    }

    private static bool TryCount(
        Dictionary<string, string> arguments, string name, int max, out int value, ref string? error)
    {
        value = 0;
        if (!arguments.TryGetValue(name, out string? text))
            return true;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value)
            && value >= 1 && value <= max)
            return true;
        error = $"{name} is '{text}'; it must be a whole number from 1 to {max}";
        return false;
    }
}
