using System.Globalization;
using RaftFast.Server.Logging;

namespace RaftFast.Server.Recovery;

/// <summary>
/// Present step of a node's start, and progress of its recovery in bytes. The thread that starts the node writes; any
/// thread reads.
/// </summary>
internal sealed class StartProgress(TimeProvider time)
{
    private const long Kibibyte = 1 << 10;
    private const long Mebibyte = 1 << 20;
    private const long Gibibyte = 1 << 30;

    private volatile string step = "opening the data directory";
    private volatile ProgressLine? work;
    private volatile ProgressLine? snapshot;
    private volatile ProgressLine? log;

    /// <summary>The loading of the snapshot that was tried last; null while none was.</summary>
    public ProgressLine? Snapshot => snapshot;

    /// <summary>The reading of the log; null before it begins.</summary>
    public ProgressLine? Log => log;

    /// <summary>Present step, with how far it is if that is known.</summary>
    public string Text => work switch
    {
        null => step,
        { All: 0 } begun => begun.Text,
        { } begun => $"{begun.Text} ({Size(begun.Done)} of {Size(begun.All)})",
    };

    /// <summary>Begins a step whose length is not known.</summary>
    public void Begin(string what)
    {
        step = what;
        work = null;
    }

    public ProgressLine BeginSnapshot(string file) => work = snapshot = new ProgressLine($"loading {file}", time);

    public ProgressLine BeginLog() => work = log = new ProgressLine("reading the log", time);

    private static string Size(long bytes) => bytes switch
    {
        >= Gibibyte => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Gibibyte:f1} GiB"),
        >= Mebibyte => string.Create(CultureInfo.InvariantCulture, $"{bytes / Mebibyte} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / Kibibyte} KiB"),
    };
}
