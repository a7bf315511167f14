using RaftFast.Http;

namespace RaftFast.Server.Loop;

/// <summary>Resumes the owners of answered requests (<see cref="Node.NodeActions.Resume"/>).</summary>
internal static class RequestOwners
{
    /// <summary>
    /// Milliseconds that the loop's turn is spent on owners; the owners left after that continue on other threads.
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
