using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Majorities, simple and joint (§6: agreement needs separate majorities of both). A voter set is given as ordinals into
/// the caller's per-server values; an empty set constrains nothing.
/// </summary>
public static class Quorum
{
    /// <summary>Voters in one set; bounds the scratch space on the stack.</summary>
    public const int VotersMax = 64;

    /// <summary>The highest index that a majority of <paramref name="voters"/> has reached (§5.3); MaxValue for an empty set.</summary>
    public static long CommittedIndex(ReadOnlySpan<int> voters, ReadOnlySpan<long> matchIndex)
    {
        if (voters.IsEmpty)
            return long.MaxValue;
        Invariant.Hold(voters.Length <= VotersMax);
        Span<long> sorted = stackalloc long[voters.Length];
        // Sorted by insertion: they are few, and Span.Sort allocates in a native binary, each time.
        for (int i = 0; i < voters.Length; i++)
        {
            long match = matchIndex[voters[i]];
            int place = i;
            for (; place > 0 && sorted[place - 1] > match; place--)
                sorted[place] = sorted[place - 1];
            sorted[place] = match;
        }
        // A majority of n is n/2 + 1 servers; so many stand at or above this place.
        return sorted[(voters.Length - 1) / 2];
    }

    public static long CommittedIndex(ConfigurationState configuration, ReadOnlySpan<long> matchIndex) =>
        Math.Min(CommittedIndex(configuration.Voters, matchIndex), CommittedIndex(configuration.OutgoingVoters, matchIndex));

    public static QuorumResult Count(ReadOnlySpan<int> voters, ReadOnlySpan<QuorumAnswer> ballots)
    {
        int granted = 0;
        int unknown = 0;
        foreach (int voter in voters)
        {
            if (ballots[voter] == QuorumAnswer.Granted)
                granted++;
            else if (ballots[voter] == QuorumAnswer.Unknown)
                unknown++;
        }
        int majority = voters.Length / 2 + 1;
        if (voters.IsEmpty || granted >= majority)
            return QuorumResult.Won;
        return granted + unknown >= majority ? QuorumResult.Pending : QuorumResult.Lost;
    }

    public static QuorumResult Count(ConfigurationState configuration, ReadOnlySpan<QuorumAnswer> ballots)
    {
        QuorumResult incoming = Count(configuration.Voters, ballots);
        QuorumResult outgoing = Count(configuration.OutgoingVoters, ballots);
        if (incoming == QuorumResult.Lost || outgoing == QuorumResult.Lost)
            return QuorumResult.Lost;
        return incoming == QuorumResult.Won && outgoing == QuorumResult.Won ? QuorumResult.Won : QuorumResult.Pending;
    }
}
