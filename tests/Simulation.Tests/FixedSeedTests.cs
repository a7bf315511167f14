namespace RaftFast.Simulation.Tests;

public sealed class FixedSeedTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Fixed_seeds_pass(int servers)
    {
        for (ulong seed = 1; seed <= 150; seed++)
            Assert.Null(Failure(Scenario.Draw(seed, servers), new Counters()));
    }

    [Fact]
    public void Every_fault_has_an_effect_somewhere_in_the_fixed_seeds()
    {
        Counters counters = new();
        for (ulong seed = 1; seed <= 600; seed++)
            Assert.Null(Failure(Scenario.Draw(seed, null), counters));
        Assert.Empty(counters.Missing());
    }

    /// <summary>Seeds that once failed, because of a bug in the server or in the simulator.</summary>
    [Theory]
    [InlineData(87, 3)] // A forwarded write that was repeated took effect twice.
    [InlineData(37, 0)] // The same, seen by a reader after all had lost power.
    [InlineData(100805, 0)] // Recovery that died while it cleared a tail hid the batch before it.
    [InlineData(136, 0)] // The disk was full when the log rolled.
    [InlineData(5273, 3)] // A leader of an older term may lack what a later term committed.
    [InlineData(70, 0)] // A follower whose next segment was missing never took an entry again.
    [InlineData(24984, 0)] // An old configuration's address took the place of the one that the leader had introduced itself with.
    [InlineData(1010288, 0)] // The newest snapshot was damaged after a start had emptied the log behind it: nothing makes up for that.
    public void Regression_seeds_pass(ulong seed, int servers) =>
        Assert.Null(Failure(Scenario.Draw(seed, servers == 0 ? null : servers), new Counters()));

    [Fact]
    public void A_seed_run_twice_gives_the_same_history()
    {
        for (ulong seed = 1; seed <= 20; seed++)
            Assert.Equal(HashOf(seed), HashOf(seed));
        Assert.NotEqual(HashOf(1), HashOf(2));
    }

    private static ulong HashOf(ulong seed)
    {
        Trace trace = new(null);
        Assert.Null(Campaign.RunSeed(Scenario.Draw(seed, null), new Counters(), trace, null, out _));
        return trace.Hash;
    }

    private static string? Failure(Scenario scenario, Counters counters) =>
        Campaign.RunSeed(scenario, counters, new Trace(null), null, out _) is { } failure ? $"seed {scenario.Seed}: {failure}" : null;
}
