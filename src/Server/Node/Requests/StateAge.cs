namespace RaftFast.Server.Node.Requests;

/// <summary>
/// Age of this member's state. This member asks the leader for a read index. After the state has been applied up to the
/// answered index, the state is as old as that question. The age counts from when this member <em>sent</em> the
/// question: a leader that a majority confirmed after that moment knew everything committed before it (thesis §6.4). So
/// an answer that a stopped process finds in its socket a minute later is a minute old.
/// </summary>
internal sealed class StateAge
{
    /// <summary>Questions whose time is remembered: more than a member asks within a request's time.</summary>
    private const int QuestionsMax = 64;

    private readonly (long Context, long SentAt)[] questions = new (long, long)[QuestionsMax];

    /// <summary>Confirmed indices that are not applied yet, in order.</summary>
    private readonly Queue<(long Index, long SentAt)> confirmed = new(QuestionsMax);

    private long knownSince = long.MinValue;

    /// <summary>True once the state has been applied up to a confirmed index.</summary>
    public bool IsKnown => knownSince != long.MinValue;

    /// <param name="now">Time before the question leaves, in milliseconds.</param>
    public void Asked(long context, long now) => questions[context % QuestionsMax] = (context, now);

    /// <summary>The leader has confirmed that the question's answer is this index.</summary>
    public void Confirmed(long context, long index)
    {
        (long asked, long sentAt) = questions[context % QuestionsMax];
        if (asked == context && confirmed.Count < QuestionsMax)
            confirmed.Enqueue((index, sentAt));
    }

    /// <summary>The state has been applied up to this index.</summary>
    public void Applied(long index)
    {
        while (confirmed.TryPeek(out (long Index, long SentAt) next) && next.Index <= index)
            knownSince = Math.Max(knownSince, confirmed.Dequeue().SentAt);
    }

    /// <returns>Maximum age of the state in milliseconds, if <see cref="IsKnown"/>.</returns>
    /// <remarks>Both times are rounded down, so their difference may be up to a millisecond too small.</remarks>
    public long At(long now) => now - knownSince + 1;
}
