using System.Diagnostics;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>Prometheus' own checker of metrics, from Debian's package prometheus.</summary>
internal static class Promtool
{
    private const string Program = "promtool";

    public static void SkipIfMissing() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(
            folder => File.Exists(Path.Combine(folder, Program))),
        "promtool is not installed: apt-get install prometheus");

    public static void AssertAccepts(string metrics)
    {
        ProcessStartInfo start = new(Program, ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process promtool = Process.Start(start)!;
        promtool.StandardInput.Write(metrics);
        promtool.StandardInput.Close();
        string complaints = promtool.StandardOutput.ReadToEnd() + promtool.StandardError.ReadToEnd();
        promtool.WaitForExit();
        Assert.Equal((0, ""), (promtool.ExitCode, complaints));
    }
}
