using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;

namespace RaftFast.Simulation.Tests;

/// <summary>Seeds that failed once, because of a bug in the product or in the simulator.</summary>
[Trait("Suite", "Long")]
public sealed class RegressionSeedTests
{
    /// <param name="servers">Number of servers; 0 if the seed draws it.</param>
    [Theory]
    [InlineData(87, 3)] // A forwarded write that was repeated took effect twice.
    [InlineData(37, 0)] // A reader saw the same write take effect twice after all servers had lost power.
    [InlineData(100805, 0)] // A recovery that died while it cleared a tail hid the batch before the tail.
    [InlineData(136, 0)] // The disk was full when the log needed its next segment.
    [InlineData(5273, 3)] // A leader of an older term may not have an entry that a later term committed.
    [InlineData(70, 0)] // A follower without a next segment never took an entry again.
    [InlineData(24984, 0)] // An old configuration's address replaced the address that the leader had announced.
    [InlineData(1010288, 0)] // The log began after the last undamaged snapshot: nothing makes up for the damage.
    [InlineData(9000956, 0)] // A key expired early: the new leader's log clock was ahead of the former leader's.
    [InlineData(924, 0)] // A start on a full disk threw away the segment that the last process had prepared.
    [InlineData(273, 0)] // An empty directory that got a term from one member replaced the right one at another.
    [InlineData(7300217, 0)] // A member whose log stood still repeated an old address of another member for ever.
    [InlineData(1187, 0)] // A leader with a wrong state stayed leader, because no majority was up that would stop it.
    public void Regression_seeds_pass(ulong seed, int servers)
    {
        // The seeds failed before any client sent transactions, and before any loop held writes.
        Scenario scenario = Scenario.Draw(seed, servers == 0 ? null : servers) with
        {
            TransactionClients = 0,
            HoldsWrites = false,
        };
        Assert.Null(Seeds.Failure(scenario, new Counters()));
    }
}
