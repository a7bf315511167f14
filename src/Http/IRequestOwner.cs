namespace RaftFast.Http;

/// <summary>Who waits for answers: a connection; in simulation, a client. Called by the one thread that completes requests.</summary>
public interface IRequestOwner
{
    /// <returns>True the first time since the last <see cref="Resume"/>.</returns>
    bool MarkForResume();

    /// <summary>
    /// Has the finished answers taken: here and now, or soon, by the thread that is at it. It may submit further requests meanwhile.
    /// To be called once after completing a batch of this owner's requests; calling it more often, or later, does no harm.
    /// </summary>
    void Resume();

    /// <summary>As <see cref="Resume"/>, but not here: the caller has other things to do.</summary>
    void ResumeElsewhere() => Resume();
}
