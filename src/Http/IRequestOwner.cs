namespace RaftFast.Http;

/// <summary>
/// Receiver of answers: a connection, or a client in the simulation. Only the one thread that completes requests calls
/// it.
/// </summary>
public interface IRequestOwner
{
    /// <summary>Marks this owner. Returns true for the first call since the last <see cref="Resume"/>.</summary>
    bool MarkForResume();

    /// <summary>
    /// Takes the finished answers: on this thread at once or, if another thread is taking them already, soon on that
    /// thread. The owner may submit further requests during the call. Call this once after completing a batch of this
    /// owner's requests; an extra or late call does no harm.
    /// </summary>
    void Resume();

    /// <summary>
    /// Does the same as <see cref="Resume"/>, but on another thread, for a caller that must not be delayed.
    /// </summary>
    void ResumeElsewhere() => Resume();
}
