namespace RaftFast.Http;

/// <summary>Who waits for answers: a connection; in simulation, a client. Called by the one thread that completes requests.</summary>
public interface IRequestOwner
{
    /// <returns>True the first time since the last <see cref="Resume"/>.</returns>
    bool MarkForResume();

    /// <summary>
    /// Has the finished answers taken, soon and on another thread. To be called once after completing a batch of this owner's
    /// requests; calling it more often, or later, does no harm.
    /// </summary>
    void Resume();
}
