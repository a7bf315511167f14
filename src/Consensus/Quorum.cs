using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Majorities, simple and joint (§6: agreement needs separate majorities of both sets). A voter set is given as
/// ordinals, which index the caller's values for each server. An empty set imposes no condition.
/// </summary>
public static class Quorum
{
    /// <summary>Maximum number of voters in one set. Bounds the space on the stack.</summary>
    public const int VotersMax = 64;

    /// <summary>
    /// Highest index that a majority of <paramref name="voters"/> has reached (§5.3); MaxValue for an empty set.
    /// </summary>
    public static long CommittedIndex(ReadOnlySpan<int> voters, ReadOnlySpan<long> matchIndex)
    {
        if (voters.IsEmpty)
            return long.MaxValue;
        Invariant.Hold(voters.Length <= VotersMax);
        Span<long> sorted = stackalloc long[voters.Length];
        // Insertion sort: the voters are few, and Span.Sort allocates at each call in a native binary.
        for (int i = 0; i < voters.Length; i++)
        {
            long match = matchIndex[voters[i]];
            int place = i;
            for (; place > 0 && sorted[place - 1] > match; place--)
                sorted[place] = sorted[place - 1];
            sorted[place] = match;
        }
        // A majority of n servers is n/2 + 1. The values from this place to the end belong to a majority.
        return sorted[(voters.Length - 1) / 2];
    }

    public static long CommittedIndex(ConfigurationState configuration, ReadOnlySpan<long> matchIndex) => Math.Min(
        CommittedIndex(configuration.Voters, matchIndex), CommittedIndex(configuration.OutgoingVoters, matchIndex));

    public static QuorumResult Count(ReadOnlySpan<int> voters, ReadOnlySpan<QuorumAnswer> answers)
    {
        int granted = 0;
        int unknown = 0;
        foreach (int voter in voters)
        {
            if (answers[voter] == QuorumAnswer.Granted)
                granted++;
            else if (answers[voter] == QuorumAnswer.Unknown)
                unknown++;
        }
        int majority = voters.Length / 2 + 1;
        if (voters.IsEmpty || granted >= majority)
            return QuorumResult.Won;
        return granted + unknown >= majority ? QuorumResult.Pending : QuorumResult.Lost;
    }

    public static QuorumResult Count(ConfigurationState configuration, ReadOnlySpan<QuorumAnswer> answers)
    {
        QuorumResult incoming = Count(configuration.Voters, answers);
        QuorumResult outgoing = Count(configuration.OutgoingVoters, answers);
        if (incoming == QuorumResult.Lost || outgoing == QuorumResult.Lost)
            return QuorumResult.Lost;
        return incoming == QuorumResult.Won && outgoing == QuorumResult.Won ? QuorumResult.Won : QuorumResult.Pending;
    }
}

/// <summary>One server's answer in an election, a quorum check or a read round.</summary>
public enum QuorumAnswer : byte
{
    Unknown,
    Granted,
    Rejected,
}

/// <summary>Result of counting the answers so far.</summary>
public enum QuorumResult
{
    Pending,
    Won,
    Lost,
}
