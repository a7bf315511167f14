using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

/// <summary>nextIndex and matchIndex (figure 2), and when the leader probes a follower or replicates to it.</summary>
public sealed class ProgressTests
{
    private static readonly RaftOptions Options =
        new() { ElectionTicks = 10, HeartbeatTicks = 2, InflightAppendsMax = 4, FreshAppendsMax = 4 };

    [Fact]
    public void New_leader_probes_from_the_end_of_its_log() // figure 2: nextIndex = last + 1, matchIndex = 0
    {
        Progress progress = At(lastIndex: 7);
        Assert.Equal((ProgressState.Probe, 8L, 0L), (progress.State, progress.Next, progress.Match));
        Assert.True(progress.MaySend(lastIndex: 7)); // even with nothing to send
    }

    [Fact]
    public void Acknowledgement_ends_the_probe()
    {
        Progress progress = At(lastIndex: 7);
        progress.Sent(1, 40, isLast: true);
        Assert.Equal(8, progress.Next);
        Assert.True(progress.Acknowledged(8));
        Assert.Equal((ProgressState.Replicate, 9L, 8L), (progress.State, progress.Next, progress.Match));
        Assert.False(progress.MaySend(lastIndex: 8));
        Assert.True(progress.MaySend(lastIndex: 9));
    }

    [Fact]
    public void Match_never_goes_back()
    {
        Progress progress = At(lastIndex: 7);
        progress.Acknowledged(5);
        Assert.False(progress.Acknowledged(3));
        Assert.False(progress.Acknowledged(5));
        Assert.Equal((5L, 6L), (progress.Match, progress.Next));
    }

    [Fact]
    public void Rejected_probe_moves_to_the_hint_and_never_forward()
    {
        Progress progress = At(lastIndex: 100);
        progress.Sent(0, 0, isLast: true);
        progress.Rejected(rejected: 100, hint: 40);
        Assert.Equal((ProgressState.Probe, 41L), (progress.State, progress.Next));
        Assert.True(progress.MaySend(100));
        progress.Rejected(rejected: 40, hint: 90);
        Assert.Equal(40, progress.Next);
        progress.Rejected(rejected: 39, hint: 0);
        Assert.Equal(1, progress.Next);
    }

    [Fact]
    public void Rejection_of_another_probe_is_stale()
    {
        Progress progress = At(lastIndex: 100);
        progress.Sent(0, 0, isLast: true);
        progress.Rejected(rejected: 60, hint: 0);
        Assert.Equal(101, progress.Next);
        Assert.False(progress.MaySend(100));
    }

    [Fact]
    public void Rejection_while_replicating_leads_back_to_a_probe_above_match()
    {
        Progress progress = At(lastIndex: 10);
        progress.Acknowledged(5);
        progress.Sent(2, 80, isLast: true);
        progress.Sent(2, 80, isLast: true);
        progress.Rejected(rejected: 4, hint: 0);
        Assert.Equal(ProgressState.Replicate, progress.State);
        progress.Rejected(rejected: 7, hint: 0);
        Assert.Equal((ProgressState.Probe, 6L), (progress.State, progress.Next));
    }

    [Fact]
    public void Sending_moves_next_as_far_as_the_window_allows()
    {
        Progress progress = At(lastIndex: 10);
        progress.Acknowledged(0);
        for (int i = 1; i <= Options.InflightAppendsMax; i++)
        {
            Assert.True(progress.MaySend(10));
            progress.Sent(1, 40, isLast: true);
            Assert.Equal(i + 1, progress.Next);
        }
        Assert.False(progress.MaySend(10));
        progress.Acknowledged(2);
        Assert.True(progress.MaySend(10));
    }

    [Fact]
    public void Appends_since_the_last_tick_wait_for_each_other_and_each_tick_lets_more_go()
    {
        Progress progress = new(Options with { InflightAppendsMax = 8, FreshAppendsMax = 2 });
        progress.Reset(10);
        progress.Acknowledged(0);
        progress.Sent(1, 40, isLast: true);
        progress.Sent(1, 40, isLast: true);
        Assert.False(progress.MaySend(10));
        progress.Tick(lastIndex: 10);
        progress.Sent(1, 40, isLast: true);
        progress.Sent(1, 40, isLast: true);
        Assert.False(progress.MaySend(10));
        progress.Acknowledged(2); // the two latest appends are still unacknowledged
        Assert.False(progress.MaySend(10));
        progress.Acknowledged(3);
        Assert.True(progress.MaySend(10));
    }

    [Fact]
    public void Full_appends_do_not_wait_for_each_other()
    {
        Progress progress = new(Options with { InflightAppendsMax = 8, FreshAppendsMax = 1 });
        progress.Reset(10);
        progress.Acknowledged(0);
        progress.Sent(4, 160, isLast: false);
        progress.Sent(4, 160, isLast: false);
        Assert.True(progress.MaySend(10));
        progress.Sent(2, 80, isLast: true);
        Assert.False(progress.MaySend(12));
        progress.Acknowledged(8);
        Assert.False(progress.MaySend(12));
        progress.Acknowledged(10);
        Assert.True(progress.MaySend(12));
    }

    [Fact]
    public void Appends_to_a_distant_follower_do_not_wait_for_each_other()
    {
        Progress progress = new(Options with { InflightAppendsMax = 8, FreshAppendsMax = 1 });
        progress.Reset(10);
        progress.Acknowledged(10);
        RoundTrip(ticks: 1);
        progress.Sent(1, 40, isLast: true);
        Assert.False(progress.MaySend(20));
        progress.Acknowledged(12);
        RoundTrip(ticks: 2);
        progress.Sent(1, 40, isLast: true);
        Assert.True(progress.MaySend(20));
        progress.Acknowledged(14);
        RoundTrip(ticks: 0);
        progress.Sent(1, 40, isLast: true);
        Assert.False(progress.MaySend(20));

        void RoundTrip(int ticks)
        {
            progress.Sent(1, 40, isLast: true);
            for (int i = 0; i < ticks; i++)
                progress.Tick(progress.Next - 1);
            progress.Acknowledged(progress.Next - 1);
        }
    }

    [Fact]
    public void Loss_leads_back_to_what_is_acknowledged_with_an_empty_window()
    {
        Progress progress = At(lastIndex: 10);
        progress.Acknowledged(5);
        for (int i = 0; i < Options.InflightAppendsMax; i++)
            progress.Sent(1, 40, isLast: true);
        progress.MessagesMayBeLost();
        Assert.Equal((ProgressState.Probe, 6L, 5L), (progress.State, progress.Next, progress.Match));
        Assert.True(progress.MaySend(10));
    }

    [Fact]
    public void Silence_for_an_election_timeout_counts_as_loss_while_anything_is_out()
    {
        Progress progress = At(lastIndex: 10);
        progress.Acknowledged(5);
        Tick(progress, 5 * Options.ElectionTicks);
        Assert.Equal(ProgressState.Replicate, progress.State);
        progress.Sent(3, 120, isLast: true);
        Tick(progress, Options.ElectionTicks - 1);
        progress.Acknowledged(6);
        Tick(progress, Options.ElectionTicks - 1);
        Assert.Equal(ProgressState.Replicate, progress.State);
        Tick(progress, 1);
        Assert.Equal((ProgressState.Probe, 7L), (progress.State, progress.Next));
    }

    [Fact]
    public void Replicating_nothing_is_a_bug()
    {
        Progress progress = At(lastIndex: 10);
        progress.Acknowledged(5);
        Assert.Throws<InvariantException>(() => progress.Sent(0, 0, isLast: true));
    }

    [Fact]
    public void Delayed_append_of_an_earlier_term_does_not_send_the_new_leaders_probe_to_the_start() // §5.1, §5.5
    {
        // Server 1 led term 2 and now leads term 4. Server 1's last append of term 2 reaches server 2 only now.
        TestCore leader = TestCore.Leader(term: 4, log: [1, 1, 2]);
        Assert.True(leader.TrySend(2, out Message probe));
        TestCore follower = new(term: 4, log: [1, 1, 2]);
        follower.Append(from: 2, term: 2, probe.Position, []);
        Message answer = Assert.Single(follower.Sent());
        Assert.True(answer.Rejected);
        leader.Reject(2, answer.Context, answer.Position);
        leader.AnswerHeartbeat(2);
        Assert.True(leader.TrySend(2, out Message again));
        Assert.Equal(probe.Position, again.Position);
    }

    private static Progress At(long lastIndex)
    {
        Progress progress = new(Options);
        progress.Reset(lastIndex);
        return progress;
    }

    private static void Tick(Progress progress, int count)
    {
        for (int i = 0; i < count; i++)
            progress.Tick(progress.Next);
    }
}
