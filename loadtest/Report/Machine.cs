using System.Globalization;
using System.Runtime.InteropServices;

namespace RaftFast.LoadTest.Report;

/// <summary>Description of the machine that the figures come from.</summary>
internal static class Machine
{
    public static string Describe()
    {
        long gibibytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        string hardware = string.Create(
            CultureInfo.InvariantCulture, $"{Processor()}, {Environment.ProcessorCount} cores, {gibibytes} GiB");
        return $"{hardware}; {RuntimeInformation.OSDescription}; {RuntimeInformation.FrameworkDescription}";
    }

    private static string Processor()
    {
        const string Information = "/proc/cpuinfo";
        string? line = File.Exists(Information)
            ? File.ReadLines(Information)
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
