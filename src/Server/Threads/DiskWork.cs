using System.Diagnostics;

namespace RaftFast.Server.Threads;

/// <summary>
/// Work of one thread on the disk, one piece after the other. Another thread sees for how long the present piece has
/// been out.
/// </summary>
/// <param name="what">The work, as an operator reads it: "a write of the log".</param>
internal sealed class DiskWork(string what)
{
    /// <summary>Timestamp of the beginning of the present piece; 0 if there is none.</summary>
    private long began;

    public string What => what;

    /// <summary>Time for which the present piece has been out; zero if there is none. Any thread.</summary>
    public TimeSpan Time
    {
        get
        {
            long start = Volatile.Read(ref began);
            return start == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(start);
        }
    }

    public void Begin() => Volatile.Write(ref began, Stopwatch.GetTimestamp());

    public void End() => Volatile.Write(ref began, 0);
}
