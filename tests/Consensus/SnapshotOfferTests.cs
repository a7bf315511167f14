using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>A snapshot that another server sent (§7): it holds committed entries only.</summary>
public sealed class SnapshotOfferTests
{
    private static readonly LogPosition Snapshot = new(2, 20);

    [Fact]
    public void Snapshot_of_a_leader_whose_term_has_ended_is_installed()
    {
        TestCore core = new(term: 2, log: [1, 1, 1]);
        core.Heartbeat(from: 3, term: 7);
        Assert.True(core.Core.OfferSnapshot(Snapshot));
        core.Core.Install(Snapshot, 0, core.Core.Configuration.Cluster);
        Assert.Equal((7L, 3UL), (core.Core.Term, core.Core.LeaderId));
        Assert.Equal((Snapshot, 20L, 20L), (core.Log.Last, core.Log.Committed, core.Log.Durable));
        Message acknowledged = Assert.Single(core.Sent());
        Assert.Equal((MessageType.AppendResponse, 3UL, 20L), Of(acknowledged));
    }

    [Fact]
    public void Candidate_that_installs_a_snapshot_becomes_a_follower_and_keeps_term_and_vote()
    {
        TestCore core = new(term: 2, log: [1, 1, 1]);
        core.Campaign();
        core.Sent();
        HardState before = core.Core.HardState;
        Assert.True(core.Core.OfferSnapshot(Snapshot));
        core.Core.Install(Snapshot, 0, core.Core.Configuration.Cluster);
        Assert.Equal((RoleName.Follower, 0UL, before), (core.Core.Role, core.Core.LeaderId, core.Core.HardState));
        Assert.Empty(core.Sent());
    }

    [Fact]
    public void Log_that_holds_the_last_entry_is_kept_and_its_entries_are_committed()
    {
        TestCore core = new(term: 3, log: [1, 2, 2]);
        core.Core.DurableTo(core.Log.Last);
        Assert.False(core.Core.OfferSnapshot(new(2, 2)));
        Assert.Equal((2L, 3L), (core.Log.Committed, core.Log.Last.Index));
        Assert.False(core.Core.OfferSnapshot(new(2, 2)));
    }

    [Fact]
    public void Leader_installs_nothing()
    {
        TestCore core = TestCore.Leader(3, log: [1, 2, 2]);
        Assert.False(core.Core.OfferSnapshot(new(2, 3)));
        Assert.Equal((0L, true), (core.Log.Committed, core.Core.IsLeader));
    }

    private static (MessageType Type, ulong To, long Index) Of(in Message message) =>
        (message.Type, message.To, message.Position.Index);
}
