using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>§5.3: log replication; §5.5: messages may come late, twice, or never.</summary>
public sealed class ReplicationTests
{
    [Fact]
    public void Leader_opens_its_term_with_a_blank_entry() // §8
    {
        TestCore leader = TestCore.Leader(term: 5, log: [1, 3]);
        Assert.Equal(new LogPosition(5, 3), leader.Log.Last);
        Assert.True(leader.TrySend(2, out Message append));
        Assert.Equal((new LogPosition(3, 2), 5L), (append.Position, append.Term));
    }

    [Fact]
    public void Follower_appends_what_follows_its_log() // §5.3
    {
        TestCore core = new(term: 1, log: [1, 1]);
        Assert.Equal(new EntryRange(3, 4), core.Append(from: 2, term: 2, previous: new(1, 2), [1, 2]));
        Assert.Equal(new LogPosition(2, 4), core.Log.Last);
        Assert.Equal(2UL, core.Core.LeaderId);
    }

    [Theory] // §5.3: the consistency check
    [InlineData(2, 3, 2, 2)] // entry 3 has another term; the last entry of term 2 or below is entry 2
    [InlineData(1, 5, 1, 1)] // the log has no entry 5
    [InlineData(4, 9, 3, 4)]
    [InlineData(2, 1, 1, 1)] // the term of entry 1 is below the requested one, so the logs may match there
    public void Follower_rejects_append_when_the_previous_entry_differs(
        long term, long index, long hintTerm, long hintIndex)
    {
        TestCore core = new(term: 3, log: [1, 2, 3, 3]);
        Assert.True(core.Append(from: 2, term: 5, previous: new(term, index), [5], commit: 9).IsEmpty);
        Message answer = Assert.Single(core.Sent());
        Assert.Equal((MessageType.AppendResponse, true, index), (answer.Type, answer.Rejected, answer.Context));
        Assert.Equal(new LogPosition(hintTerm, hintIndex), answer.Position);
        Assert.Equal(4, core.Log.Last.Index);
        Assert.Equal(0, core.Log.Committed);
    }

    [Fact]
    public void Conflicting_entry_and_all_that_follow_it_are_removed() // §5.3
    {
        TestCore core = new(term: 3, log: [1, 2, 2, 2]);
        Assert.Equal(new EntryRange(3, 3), core.Append(from: 2, term: 4, previous: new(1, 1), [2, 4]));
        Assert.Equal(new LogPosition(4, 3), core.Log.Last);
        Assert.Equal(2, core.Log.Durable);
    }

    [Fact]
    public void Delayed_append_removes_nothing_that_follows() // §5.3, §5.5
    {
        TestCore core = new(term: 2);
        core.Append(from: 2, term: 2, previous: default, [1, 1, 2, 2]);
        Assert.True(core.Append(from: 2, term: 2, previous: default, [1, 1]).IsEmpty);
        Assert.True(core.Append(from: 2, term: 2, previous: new(1, 1), []).IsEmpty);
        Assert.Equal(new LogPosition(2, 4), core.Log.Last);
    }

    [Fact]
    public void Duplicate_append_changes_nothing_and_is_acknowledged_again() // §5.5
    {
        TestCore core = new(term: 2);
        core.Append(from: 2, term: 2, previous: default, [1, 2]);
        core.Core.DurableTo(new(2, 2));
        Assert.Equal(2, Assert.Single(core.Sent()).Position.Index);
        Assert.True(core.Append(from: 2, term: 2, previous: default, [1, 2]).IsEmpty);
        Assert.Equal(2, Assert.Single(core.Sent()).Position.Index);
        Assert.Equal(2, core.Log.Durable);
    }

    [Fact]
    public void Append_that_overlaps_the_log_adds_only_what_is_new() // §5.3
    {
        TestCore core = new(term: 1, log: [1, 1]);
        Assert.Equal(new EntryRange(3, 4), core.Append(from: 2, term: 1, previous: new(1, 1), [1, 1, 1]));
    }

    [Theory] // figure 2: commitIndex = min(leaderCommit, index of last new entry)
    [InlineData(0, 0)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(9, 3)]
    public void Follower_commits_up_to_the_last_entry_that_the_append_vouches_for(long leaderCommit, long committed)
    {
        TestCore core = new(term: 2, log: [1, 1, 1, 1]);
        core.Append(from: 2, term: 2, previous: new(1, 2), [1], leaderCommit);
        Assert.Equal(committed, core.Log.Committed);
    }

    [Fact]
    public void Commit_index_never_goes_back() // figure 2
    {
        TestCore core = new(term: 1, log: [1, 1, 1]);
        core.Append(from: 2, term: 1, previous: new(1, 3), [], commit: 3);
        core.Append(from: 2, term: 1, previous: new(1, 1), [], commit: 1);
        core.Heartbeat(from: 2, term: 1, commit: 2);
        Assert.Equal(3, core.Log.Committed);
    }

    [Fact]
    public void Follower_that_misses_entries_catches_up() // §5.3, figure 7 (a), (b)
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        cluster.Partition(3);
        for (uint i = 0; i < 50; i++)
            cluster[1].Propose(i);
        cluster.Settle();
        Assert.Equal(51, cluster[1].Core.Log.Committed);
        cluster.Heal();
        cluster.Tick(4);
        Assert.Equal(cluster[1].Log, cluster[3].Applied);
    }

    [Fact]
    public void Extra_uncommitted_entries_are_replaced_by_the_leaders() // §5.3, figure 7 (c) to (f)
    {
        TestCluster cluster = new(5);
        cluster.Elect(1);
        cluster.Partition(1);
        for (uint i = 0; i < 20; i++)
            cluster[1].Propose(i);
        cluster.Elect(2);
        cluster[2].Propose(100);
        cluster.Settle();
        Assert.Equal(21, cluster[1].Log.Count);
        cluster.Heal();
        cluster.Tick(4);
        Assert.Equal("1 2 2", cluster[1].Terms);
        Assert.All(cluster.Servers, server => Assert.Equal(cluster[2].Log, server.Applied));
    }

    [Theory] // §5.3, the optimization: whole terms are skipped
    [InlineData(new long[] { 1 }, new long[] { 1, 2 })] // the follower misses 10,000 entries
    [InlineData(new long[] { 1, 2 }, new long[] { 1, 3 })] // it has 10,000 conflicting entries
    [InlineData(new long[] { 1, 2, 4, 6 }, new long[] { 1, 3, 5, 7 })]
    [InlineData(new long[] { 2, 4, 6 }, new long[] { 1, 3, 5, 7 })] // the logs have no entry in common
    public void Logs_10_000_entries_apart_meet_in_a_few_round_trips(long[] followerTerms, long[] leaderTerms)
    {
        TestCore leader = TestCore.Leader(term: 9, log: Runs(leaderTerms));
        TestCore follower = new(term: 8, log: Runs(followerTerms));
        for (int roundTrips = 1; roundTrips <= followerTerms.Length + 2; roundTrips++)
        {
            Assert.True(leader.TrySend(2, out Message probe, count: 0));
            follower.Append(from: 2, term: 9, probe.Position, []);
            Message answer = Assert.Single(follower.Sent());
            if (!answer.Rejected)
            {
                Assert.True(leader.Log.Matches(probe.Position));
                return;
            }
            leader.Reject(from: 2, answer.Context, answer.Position);
        }
        Assert.Fail("too many round trips");

        static long[] Runs(long[] terms) => [.. terms.SelectMany(term => Enumerable.Repeat(term, 10_000))];
    }

    [Fact]
    public void Lost_and_doubled_and_reordered_messages_delay_but_do_no_harm() // §5.5
    {
        TestCluster cluster = new(3);
        cluster.Elect(1);
        int count = 0;
        cluster.IsLost = message =>
            message.Type is MessageType.Append or MessageType.AppendResponse && count++ % 3 == 0;
        for (uint i = 0; i < 100; i++)
        {
            cluster[1].Propose(i);
            cluster.Network.AddRange(cluster.Network.ToArray().Reverse());
            cluster.Tick();
        }
        cluster.IsLost = _ => false;
        cluster.Tick(3 * TestCluster.ElectionTicks);
        Assert.Equal(101, cluster.Committed);
        Assert.All(cluster.Servers, server => Assert.Equal(cluster[1].Log, server.Applied));
    }

    [Fact]
    public void Only_a_leader_takes_proposals() // §8
    {
        TestCore core = new();
        Assert.Equal(ProposeResult.NotLeader, core.Core.Propose(40));
        core.Heartbeat(from: 2, term: 1);
        Assert.Equal(ProposeResult.NotLeader, core.Core.Propose(40));
        Assert.Equal(0, core.Log.Last.Index);
    }

    [Theory] // Election Safety (figure 3)
    [InlineData(MessageType.Append)]
    [InlineData(MessageType.Heartbeat)]
    public void Two_leaders_in_one_term_stop_the_server(MessageType type)
    {
        TestCore leader = TestCore.Leader(term: 2);
        Assert.Throws<InvariantException>(() => leader.Receive(new Message { Type = type, From = 3, Term = 2 }));

        TestCore follower = new();
        follower.Heartbeat(from: 2, term: 2);
        Assert.Throws<InvariantException>(() => follower.Receive(new Message { Type = type, From = 3, Term = 2 }));
    }

    [Fact]
    public void Acknowledgement_beyond_the_leaders_log_stops_the_server() // Leader Completeness
    {
        TestCore leader = TestCore.Leader(term: 1);
        Assert.Throws<InvariantException>(() => leader.Acknowledge(from: 2, 2));
    }
}
