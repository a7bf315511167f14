namespace RaftFast.Consensus.Tests;

/// <summary>Majorities, simple (§5.2, §5.3) and joint (§6).</summary>
public sealed class QuorumTests
{
    [Theory]
    [InlineData(new long[] { 5 }, 5)]
    [InlineData(new long[] { 5, 3 }, 3)]
    [InlineData(new long[] { 5, 3, 4 }, 4)]
    [InlineData(new long[] { 5, 3, 4, 1 }, 3)]
    [InlineData(new long[] { 9, 9, 0, 0, 1 }, 1)]
    [InlineData(new long[] { }, long.MaxValue)]
    public void Committed_index_is_the_highest_that_a_majority_has(long[] matchIndex, long committed)
    {
        int[] voters = [.. Enumerable.Range(0, matchIndex.Length)];
        Assert.Equal(committed, Quorum.CommittedIndex(voters, matchIndex));
    }

    [Fact]
    public void Two_majorities_of_one_set_share_a_server() // this makes elections and commits safe
    {
        for (int size = 1; size <= 7; size++)
        {
            int[] voters = [.. Enumerable.Range(0, size)];
            for (int first = 0; first < 1 << size; first++)
            {
                bool isWon = Quorum.Count(voters, Ballots(size, first)) == QuorumResult.Won;
                Assert.Equal(int.PopCount(first) > size / 2, isWon);
                Assert.False(isWon && Quorum.Count(voters, Ballots(size, ~first)) == QuorumResult.Won);
            }
        }
    }

    [Fact]
    public void Joint_agreement_needs_separate_majorities_of_both() // §6
    {
        ConfigurationState joint = Configurations.State([1, 2, 3], [3, 4, 5]);
        Assert.Equal([1UL, 2UL, 3UL, 4UL, 5UL], joint.Servers);
        Assert.Equal(0, Quorum.CommittedIndex(joint, [7, 7, 7, 0, 0]));
        Assert.Equal(5, Quorum.CommittedIndex(joint, [7, 7, 7, 5, 0]));
        QuorumAnswer[] ballots =
        [
            QuorumAnswer.Granted, QuorumAnswer.Granted, QuorumAnswer.Granted,
            QuorumAnswer.Unknown, QuorumAnswer.Unknown,
        ];
        Assert.Equal(QuorumResult.Pending, Quorum.Count(joint, ballots));
        ballots[3] = QuorumAnswer.Granted;
        Assert.Equal(QuorumResult.Won, Quorum.Count(joint, ballots));
        ballots[2] = ballots[3] = QuorumAnswer.Rejected;
        Assert.Equal(QuorumResult.Lost, Quorum.Count(joint, ballots));
    }

    [Fact]
    public void Ordinals_follow_ids_whatever_their_order()
    {
        ConfigurationState configuration = Configurations.State([70, 5, 12], [12, 3]);
        Assert.Equal([3UL, 5UL, 12UL, 70UL], configuration.Servers);
        Assert.Equal([1, 2, 3], configuration.Voters);
        Assert.Equal([0, 2], configuration.OutgoingVoters);
        Assert.Equal((0, 3, -1), (configuration.OrdinalOf(3), configuration.OrdinalOf(70), configuration.OrdinalOf(4)));
        Assert.True(configuration.IsVoter(3));
        Assert.True(configuration.IsVoter(70));
        Assert.False(configuration.IsVoter(4));
    }

    private static QuorumAnswer[] Ballots(int size, int granted) =>
        [.. Enumerable.Range(0, size).Select(
            i => (granted >> i & 1) == 1 ? QuorumAnswer.Granted : QuorumAnswer.Rejected)];
}
