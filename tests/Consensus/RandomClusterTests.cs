namespace RaftFast.Consensus.Tests;

/// <summary>
/// The properties of figure 3 under random loss, delay, reordering, duplication, partitions, slow disks, crashes and
/// changes of members.
/// </summary>
[Trait("Suite", "Long")]
public sealed class RandomClusterTests
{
    private const int Seeds = 500;

    private const int Steps = 6000;

    [Fact]
    public void Properties_of_figure_3_hold_under_random_faults_and_the_cluster_heals()
    {
        Effects effects = new();
        for (int seed = 1; seed <= Seeds; seed++)
        {
            try
            {
                new RandomRun(seed, effects).Run(Steps);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }
        // Faults without effects would have tested nothing.
        Assert.True(effects.Committed > Seeds);
        Assert.True(effects.Elections > Seeds);
        Assert.True(effects.Truncations > Seeds / 3);
        Assert.True(effects.LostWrites > Seeds);
        Assert.True(effects.Reads > Seeds);
        Assert.True(effects.RolledBack > Seeds / 6);
        Assert.True(effects.JointEntered > Seeds / 4);
        Assert.True(effects.JointLeft > Seeds / 4);
        Assert.True(effects.Promotions > Seeds / 4);
        Assert.True(effects.Removals > Seeds / 8);
        Assert.True(effects.HandOversWon > Seeds / 4);
    }

    internal sealed class Effects
    {
        public long Committed;
        public long Elections;
        public long Truncations;
        public long LostWrites;
        public long Reads;

        /// <summary>Configurations overwritten at a follower.</summary>
        public long RolledBack;
        public long JointEntered;
        public long JointLeft;
        public long Promotions;
        public long Removals;
        public long HandOversWon;
    }
}
