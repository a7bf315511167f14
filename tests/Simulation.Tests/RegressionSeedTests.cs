namespace RaftFast.Simulation.Tests;

[Trait("Suite", "Long")]
public sealed class RegressionSeedTests
{
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
        Assert.Null(Seed.Failure(Scenario.Draw(seed, servers == 0 ? null : servers), new Counters()));
}
