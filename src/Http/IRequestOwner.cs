namespace RaftFast.Http;

/// <summary>
/// Receiver of answers: a connection, or a client of the simulator. Only the thread that completes requests calls the
/// owner.
/// </summary>
public interface IRequestOwner
{
    /// <returns>True at the first call since the last <see cref="Resume"/>.</returns>
    bool MarkForResume();

    /// <summary>
    /// Makes the owner take its finished answers, now, or soon on the thread that already serves the owner. The owner
    /// may submit further requests meanwhile. The caller calls this once after a batch of the owner's requests; more or
    /// later calls do no harm.
    /// </summary>
    void Resume();

    /// <summary>Does the same as <see cref="Resume"/> on another thread, because the caller has other work.</summary>
    void ResumeElsewhere() => Resume();
}
