using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>§5.3, §5.4: when an entry is committed, and that it stays committed.</summary>
public sealed class CommitmentTests
{
    [Theory]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 2)]
    [InlineData(7, 3)]
    public void Entry_is_committed_by_a_majority_and_by_no_fewer(int size, int followers) // §5.3
    {
        TestCore leader = TestCore.Leader(term: 1, size);
        for (ulong peer = 2; (int)peer <= followers; peer++)
            leader.Acknowledge(peer, 1);
        Assert.Equal(0, leader.Log.Committed);
        leader.Acknowledge((ulong)followers + 1, 1);
        Assert.Equal(1, leader.Log.Committed);
    }

    [Fact]
    public void Entry_of_an_earlier_term_is_not_committed_by_counting() // §5.4.2
    {
        TestCore leader = TestCore.Leader(term: 4, size: 5, log: [1, 2]);
        foreach (ulong peer in (ulong[])[2, 3, 4, 5])
            leader.Acknowledge(peer, 2);
        Assert.Equal(0, leader.Log.Committed);
        leader.Acknowledge(2, 3);
        Assert.Equal(0, leader.Log.Committed);
        leader.Acknowledge(3, 3);
        Assert.Equal(3, leader.Log.Committed); // the earlier entries are committed too
    }

    [Fact]
    public void Acknowledgements_may_come_late_and_twice() // §5.5
    {
        TestCore leader = TestCore.Leader(term: 1, size: 5);
        leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Acknowledge(2, 2);
        leader.Acknowledge(2, 1);
        leader.Acknowledge(2, 2);
        Assert.Equal(0, leader.Log.Committed);
        leader.Acknowledge(3, 1);
        Assert.Equal(1, leader.Log.Committed);
        leader.Acknowledge(3, 2);
        Assert.Equal(2, leader.Log.Committed);
    }

    [Fact]
    public void Figure_8_as_a_story() // §5.4.2; blank entries, which open terms, replace the figure's entries
    {
        TestCluster cluster = new(5);
        cluster.Elect(1);

        // (a) S1 leads and replicates its entry only to S2. Terms are one higher than in the figure.
        cluster.Partition(1);
        cluster.Elect(5);
        cluster.Heal();
        cluster.Tick(4);
        cluster.IsLost = message => message.Type == MessageType.Append && message.To != 2;
        cluster.Elect(1);
        cluster.Tick(2);
        Assert.Equal("1 2 3", cluster[1].Terms);
        Assert.Equal("1 2 3", cluster[2].Terms);
        Assert.Equal(2, cluster[3].Log.Count);

        // (b) S1 crashes; S5 leads the next term with the votes of S3 and S4, and keeps its entry to itself.
        cluster[1].Crash();
        cluster.IsLost = message => message.Type == MessageType.Append;
        cluster.Elect(5);
        Assert.Equal("1 2 4", cluster[5].Terms);

        // (c) S5 crashes; S1 leads again and replicates its entry of term 3 to S3. (e) S1 also replicates an entry of
        // its present term.
        cluster[5].Crash();
        cluster.Restart(1);
        cluster.IsLost = message => message.Type == MessageType.Append && message.To == 4;
        cluster.Elect(1);
        Assert.Equal("1 2 3 5", cluster[1].Terms);
        cluster.Check();
        Assert.Equal(4, cluster.Committed);

        // S5 can no longer win: it restarts and campaigns without success. In the end every log has the entries that S1
        // committed.
        cluster[1].Crash();
        cluster.IsLost = _ => false;
        cluster.Restart(5);
        for (int i = 0; i < 10 * TestCluster.ElectionTicks; i++)
            cluster.Tick();
        Assert.NotEqual(5UL, Assert.IsType<TestServer>(cluster.Leader).Id);
        Assert.StartsWith("1 2 3 5", cluster[5].Terms, StringComparison.Ordinal);
    }

    [Fact]
    public void Figure_8_d_an_old_entry_on_a_majority_may_still_be_overwritten() // §5.4.2
    {
        // S1 leads term 4 with [1 2], and S5 holds [1 3]. S1 replicates entry 2 to S2 and S3, but its entry of term 4
        // to no server.
        TestCore s1 = TestCore.Leader(term: 4, size: 5, log: [1, 2]);
        s1.Acknowledge(2, 2);
        s1.Acknowledge(3, 2);
        Assert.Equal(0, s1.Log.Committed);

        // S5 may win a later term with the votes of S3 and the others without an entry of term 4, and overwrite entry
        // 2.
        TestCore s3 = new(size: 5, term: 4, log: [1, 2]);
        Assert.False(s3.AskedToVote(from: 5, term: 5, last: new(3, 2)).Rejected);
        Assert.Equal(new EntryRange(2, 3), s3.Append(from: 5, term: 5, previous: new(1, 1), [3, 5]));
    }

    [Fact]
    public void Committed_entries_are_in_the_log_of_every_later_leader() // §5.4.3: Leader Completeness
    {
        TestCluster cluster = new(5);
        uint command = 0;
        for (int round = 0; round < 10; round++)
        {
            ulong leader = (ulong)(round % 5) + 1;
            ulong absent = (leader % 5) + 1;
            cluster.Partition(absent);
            cluster.Elect(leader);
            cluster[leader].Propose(++command);
            cluster.Settle();
            int committed = cluster.Committed;
            Assert.Equal(cluster[leader].Log.Count, committed);
            cluster.Heal();
            cluster.Tick(2 * TestCluster.ElectionTicks);
        }
        Assert.Equal(
            Enumerable.Range(1, 10).Select(i => (uint)i),
            cluster[1].Applied.Where(entry => entry.Type == RecordType.Command).Select(entry => entry.PayloadChecksum));
    }

    [Fact]
    public void Applied_follows_committed_and_never_goes_back() // figure 2
    {
        TestCore leader = TestCore.Leader(term: 1);
        Assert.Throws<InvariantException>(() => leader.Core.AppliedTo(1));
        leader.Acknowledge(2, 1);
        leader.Core.AppliedTo(1);
        leader.Core.AppliedTo(1);
        Assert.Throws<InvariantException>(() => leader.Core.AppliedTo(0));
    }

    [Fact]
    public void Follower_that_waits_is_told_of_the_commit_at_once()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.TrySend(2, out _);
        leader.Acknowledge(2, 1);
        leader.Core.AwaitCommit(2, 1);
        Message told = Assert.Single(leader.Sent());
        Assert.Equal((MessageType.Heartbeat, 2UL, 1L), (told.Type, told.To, told.Commit));
        Assert.Empty(leader.Sent());
    }

    [Fact]
    public void Follower_that_waits_is_told_no_more_than_it_holds()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Core.Propose(40);
        leader.Core.DurableTo(leader.Log.Last);
        leader.Core.AwaitCommit(2, 2);
        leader.Acknowledge(3, 2);
        Assert.Equal(2, leader.Log.Committed);
        Assert.Empty(leader.Sent());
        leader.Acknowledge(2, 1);
        Assert.Equal(1, Assert.Single(leader.Sent()).Commit);
        leader.Acknowledge(2, 2);
        Assert.Equal(2, Assert.Single(leader.Sent()).Commit);
    }

    [Fact]
    public void Follower_that_waits_is_not_told_what_an_append_told_it()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Acknowledge(2, 1);
        leader.Core.AwaitCommit(2, 1);
        leader.Core.Propose(40);
        Assert.True(leader.TrySend(2, out Message append));
        Assert.Equal(1, append.Commit);
        Assert.Empty(leader.Sent());
        leader.Core.MessagesMayBeLost(2); // the append may be lost, and its commit index with it
        Assert.Equal(1, Assert.Single(leader.Sent()).Commit);
    }

    [Fact]
    public void Follower_that_does_not_wait_is_told_nothing()
    {
        TestCore leader = TestCore.Leader(term: 1);
        leader.Acknowledge(2, 1);
        Assert.Equal(1, leader.Log.Committed);
        Assert.Empty(leader.Sent());
    }
}
