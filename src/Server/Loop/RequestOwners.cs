using RaftFast.Http;

namespace RaftFast.Server.Loop;

/// <summary>Resumes the owners of answered requests (<see cref="Node.NodeActions.Resume"/>).</summary>
internal static class RequestOwners
{
    /// <summary>
    /// Maximum milliseconds of the loop's turn that are spent on resuming owners. Owners that remain are resumed on
    /// other threads.
    /// </summary>
    private const int MillisecondsHere = 5;

    public static void Resume(ReadOnlySpan<IRequestOwner> owners)
    {
        long end = Environment.TickCount64 + MillisecondsHere;
        foreach (IRequestOwner owner in owners)
        {
            if (Environment.TickCount64 < end)
                owner.Resume();
            else
                owner.ResumeElsewhere();
        }
    }
}
