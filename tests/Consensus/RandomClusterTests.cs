namespace RaftFast.Consensus.Tests;

/// <summary>Figure 3 under random loss, delay, reordering, duplication, partitions, slow disks and crashes.</summary>
public sealed class RandomClusterTests
{
    private const int Seeds = 300;

    private const int Steps = 3000;

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
        // Faults without an effect test nothing.
        Assert.True(effects.Committed > Seeds);
        Assert.True(effects.Elections > Seeds);
        Assert.True(effects.Truncations > Seeds / 3);
        Assert.True(effects.LostWrites > Seeds);
        Assert.True(effects.Reads > Seeds);
    }

    internal sealed class Effects
    {
        public long Committed;
        public long Elections;
        public long Truncations;
        public long LostWrites;
        public long Reads;
    }
}
