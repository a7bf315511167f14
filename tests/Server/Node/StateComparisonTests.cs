using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node;

using Record = RaftFast.Protocol.Record;

/// <summary>Member 1 compares its state with the others' (State Machine Safety, figure 3).</summary>
public sealed class StateComparisonTests : IDisposable
{
    private const int Period = 10;

    private static readonly UInt128 Other = 12345;

    private readonly RecordedNetwork network = new();
    private readonly RecordedLog log = new();
    private readonly StateMachine state = new(new KeyValueStore(), digestsMax: 8);

    public void Dispose() => state.Dispose();

    [Fact]
    public void Asked_member_tells_all_others_once_it_has_applied_the_entry()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(4);
        Tell(comparison, 2, 5, Other, asks: true);
        comparison.EndBatch();
        Assert.Empty(network.Sent);
        Apply(1);
        UInt128 own = Digest(5);
        Apply(3);
        comparison.EndBatch();
        Assert.Equal([2UL, 3UL], network.Sent.Select(message => message.To));
        Assert.All(network.Sent, message => Assert.Equal(
            (MessageType.StateHash, 5L, own, 0),
            (message.Type, message.Position.Index, message.Digest, message.Count)));
        comparison.EndBatch();
        Assert.Equal(2, network.Sent.Count);
    }

    [Fact]
    public void Answer_asks_for_no_answer()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(5);
        Tell(comparison, 2, 5, Digest(5), asks: false);
        comparison.EndBatch();
        Assert.Empty(network.Sent);
        Assert.Equal(new ComparisonCounts(1, 0, 5), comparison.Counts);
    }

    [Fact]
    public void Same_question_is_answered_again_because_a_member_may_have_started_anew()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(5);
        for (int i = 1; i <= 2; i++)
        {
            Tell(comparison, 2, 5, Digest(5), asks: true);
            comparison.EndBatch();
            Assert.Equal(2 * i, network.Sent.Count);
        }
    }

    [Fact]
    public void Digest_that_is_no_longer_known_is_not_told()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(20);
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 3, 5, Other, asks: false);
        comparison.EndBatch();
        Assert.Empty(network.Sent);
        Assert.Equal(default, comparison.Counts);
    }

    [Fact]
    public void Member_stops_if_a_majority_agrees_on_another_state()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        comparison.EndBatch();
        StateDiffersException stop = Assert.Throws<StateDiffersException>(
            () => Tell(comparison, 3, 5, Other, asks: false));
        Assert.StartsWith(
            "the state of member 1 at entry 5 differs from the state of a majority, members 2, 3: ",
            stop.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Member_that_applies_the_entry_later_stops_then()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 3, 5, Other, asks: false);
        Apply(4);
        comparison.EndBatch();
        Apply(1);
        Assert.Throws<StateDiffersException>(comparison.EndBatch);
    }

    [Fact]
    public void Member_does_not_stop_for_a_minority()
    {
        (_, StateComparison comparison) = Create(Voters(5));
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 3, 5, Other, asks: false);
        Tell(comparison, 4, 5, Digest(5), asks: false);
        Tell(comparison, 5, 5, Digest(5), asks: false);
        comparison.EndBatch();
        Assert.Equal(2, log.Lines.Length);
        Assert.StartsWith(
            "the state of member 2 at entry 5 differs from this member's", log.Lines[0], StringComparison.Ordinal);
        Assert.Equal(new ComparisonCounts(4, 2, 5), comparison.Counts);
    }

    [Fact]
    public void Member_does_not_stop_if_no_two_others_agree()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 3, 5, Other + 1, asks: false);
        comparison.EndBatch();
    }

    [Fact]
    public void Difference_is_told_once_until_the_member_agrees_again()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        for (int index = 1; index <= 4; index++)
        {
            Apply(1);
            Tell(comparison, 2, index, index == 3 ? Digest(3) : Other, asks: true);
            comparison.EndBatch();
            Assert.Equal(index < 4 ? 1 : 2, log.Lines.Length);
        }
    }

    [Fact]
    public void Digests_at_different_entries_are_not_compared()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(6);
        Tell(comparison, 2, 6, Digest(6), asks: true);
        Tell(comparison, 3, 5, Other, asks: false);
        Tell(comparison, 2, 5, Other, asks: true);
        comparison.EndBatch();
        Assert.Equal(new ComparisonCounts(1, 0, 6), comparison.Counts);
        Assert.All(network.Sent, message => Assert.Equal(6, message.Position.Index));
    }

    [Fact]
    public void Later_entry_replaces_the_entry_that_is_waited_for()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 3, 7, Other, asks: true);
        Apply(7);
        comparison.EndBatch();
        Assert.All(network.Sent, message => Assert.Equal(7, message.Position.Index));
        Assert.Equal(1, comparison.Counts.Made);
    }

    [Fact] // thesis §4.2.1
    public void Learner_stops_too_but_does_not_count()
    {
        Member[] members = [Member(1, MemberRole.Learner), Member(2), Member(3), Member(4, MemberRole.Learner)];
        (_, StateComparison comparison) = Create(members);
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 4, 5, Other, asks: false);
        comparison.EndBatch();
        Assert.Throws<StateDiffersException>(() => Tell(comparison, 3, 5, Other, asks: false));
    }

    [Fact] // §6: agreement needs a majority of both sets
    public void Joint_configuration_needs_both_majorities()
    {
        Member[] members =
        [
            Member(1), Member(2), Member(3),
            new(4, Address(4), MemberRole.Leaving, IsOutgoingVoter: true),
            new(5, Address(5), MemberRole.Leaving, IsOutgoingVoter: true),
        ];
        (_, StateComparison comparison) = Create(members);
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 3, 5, Other, asks: false);
        Tell(comparison, 4, 5, Other, asks: false);
        comparison.EndBatch();
        Assert.Throws<StateDiffersException>(() => Tell(comparison, 5, 5, Other, asks: false));
    }

    [Fact]
    public void Stranger_does_not_count()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        Tell(comparison, 9, 5, Other, asks: true);
        comparison.EndBatch();
        Assert.Equal(1, comparison.Counts.Made);
    }

    [Fact] // an empty voter set imposes no condition, and agrees on nothing
    public void Node_without_a_configuration_compares_nothing()
    {
        (_, StateComparison comparison) = Create([]);
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        comparison.EndBatch();
        Assert.Equal(0, comparison.Counts.Made);
    }

    [Fact]
    public void Digest_of_a_replaced_state_is_not_compared()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(5);
        Tell(comparison, 2, 5, Other, asks: true);
        comparison.EndBatch();
        KeyValueStore installed = new();
        installed.LoadedTo(8);
        state.ReplaceBy(installed).Dispose();
        Tell(comparison, 3, 5, Other, asks: false);
        comparison.EndBatch();
        Assert.Equal(1, comparison.Counts.Made);
    }

    [Fact]
    public void Leader_asks_once_a_period()
    {
        (RaftCore core, StateComparison comparison) = Create(Voters(3));
        Lead(core);
        Tick(comparison, Period / 10);
        network.Sent.Clear();
        Tick(comparison, Period - 1);
        Assert.Empty(network.Sent);
        Tick(comparison, 1);
        Assert.Equal([2UL, 3UL], network.Sent.Select(message => message.To));
        Assert.All(network.Sent, message => Assert.Equal(
            (1L, Digest(1), 1), (message.Position.Index, message.Digest, message.Count)));
        Tick(comparison, Period);
        Assert.Equal(4, network.Sent.Count);
    }

    [Fact]
    public void Leader_hands_over_if_more_members_agree_on_another_state()
    {
        (RaftCore core, StateComparison comparison) = Create(Voters(5));
        Lead(core, 2, 3);
        Tick(comparison, Period);
        Tell(comparison, 2, 1, Other, asks: false);
        Tick(comparison, Period);
        Assert.False(core.IsHandingOver, "one against one");
        Tell(comparison, 3, 1, Other, asks: false);
        Tell(comparison, 4, 1, Digest(1), asks: false);
        Tick(comparison, Period);
        Assert.False(core.IsHandingOver, "two against two");
        Tell(comparison, 4, 1, Other - 1, asks: false);
        Tick(comparison, Period);
        Assert.True(core.IsHandingOver, "two against one");
        Assert.StartsWith("handing over to member 2", log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact] // a member that has just started may have a spoilt snapshot
    public void Leader_asks_soon_after_a_member_has_connected()
    {
        (RaftCore core, StateComparison comparison) = Create(Voters(3));
        Lead(core);
        Tick(comparison, Period / 10);
        network.Sent.Clear();
        comparison.OnPeerAnnounced(2, KeyCommand.Version);
        Tick(comparison, Period / 10);
        Assert.Equal(2, network.Sent.Count);
        Tick(comparison, Period - 1);
        Assert.Equal(2, network.Sent.Count);
    }

    [Fact]
    public void Follower_asks_nothing()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Apply(1);
        Tick(comparison, 3 * Period);
        Assert.Empty(network.Sent);
    }

    [Fact] // an older member would take the message for damage, and end the connection
    public void Older_members_and_those_that_may_be_older_get_no_message()
    {
        (_, StateComparison comparison) = Create(Voters(5));
        comparison.OnPeerAnnounced(2, 2);
        comparison.OnAnswersLost(3);
        Apply(1);
        Tell(comparison, 4, 1, Digest(1), asks: true);
        comparison.EndBatch();
        Assert.Equal([4UL, 5UL], network.Sent.Select(message => message.To));
    }

    [Fact]
    public void Comparing_equal_states_allocates_nothing()
    {
        (_, StateComparison comparison) = Create(Voters(3));
        Rounds(10);
        network.Sent.EnsureCapacity(10_000);
        Assert.Equal(0, Allocations.Of(() => Rounds(100)));

        void Rounds(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Apply(1);
                long index = state.Store.AppliedIndex;
                Tell(comparison, 2, index, state.Store.Digest, asks: true);
                Tell(comparison, 3, index, state.Store.Digest, asks: false);
                comparison.EndBatch();
                comparison.OnTick();
            }
        }
    }

    private static Member Member(ulong id, MemberRole role = MemberRole.Voter) => new(id, Address(id), role);

    private static PeerAddress Address(ulong id) => new("127.0.0.1", (int)id);

    private static Member[] Voters(int count) =>
        [.. Enumerable.Range(1, count).Select(id => Member((ulong)id))];

    private static void Tell(StateComparison comparison, ulong from, long index, UInt128 digest, bool asks) =>
        comparison.OnMessage(new Message
        {
            Type = MessageType.StateHash,
            From = from,
            To = 1,
            Position = new(0, index),
            Digest = digest,
            Count = asks ? 1 : 0,
        });

    private static void Tick(StateComparison comparison, int ticks)
    {
        for (int i = 0; i < ticks; i++)
            comparison.OnTick();
        comparison.EndBatch();
    }

    private (RaftCore Core, StateComparison Comparison) Create(Member[] members)
    {
        ConfigurationHistory configurations = new(new ClusterConfiguration(1, members));
        RaftCore core = new(1, configurations, new RaftOptions(), default, new TermRuns(), new Random(1));
        StateComparison comparison = new(core, state, network, Period, log);
        foreach (Member member in members)
        {
            if (member.Id != core.Id)
                comparison.OnPeerAnnounced(member.Id, KeyCommand.Version);
        }
        return (core, comparison);
    }

    /// <summary>Makes member 1 the leader, and applies its no-op.</summary>
    /// <param name="voters">Members that make a majority with member 1; only member 2 if there are none.</param>
    private void Lead(RaftCore core, params ulong[] voters)
    {
        while (core.Role != RoleName.PreCandidate)
            core.Tick();
        Step(new Message { Type = MessageType.PreVoteResponse, Term = 1 });
        Step(new Message { Type = MessageType.VoteResponse, Term = 1 });
        core.DurableTo(core.Log.Last);
        foreach (ulong voter in Majority())
            core.AppendSent(voter, 1, 40);
        Step(new Message { Type = MessageType.AppendResponse, Term = 1, Position = core.Log.Last });
        Assert.Equal(1, core.Log.Committed);
        Apply(1);
        core.AppliedTo(1);

        ulong[] Majority() => voters.Length == 0 ? [2] : voters;

        void Step(in Message message)
        {
            foreach (ulong voter in Majority())
                core.Step(message with { From = voter, To = 1 }, default);
        }
    }

    private UInt128 Digest(long index)
    {
        Assert.True(state.TryDigestAt(index, out UInt128 digest));
        return digest;
    }

    private readonly byte[] noOp = new byte[Record.HeaderSize];

    private void Apply(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Record.Finish(noOp, RecordType.NoOp, 0);
            Record.Stamp(noOp, new LogPosition(1, state.Store.AppliedIndex + 1));
            Record.TryReadHeader(noOp, out RecordHeader header);
            state.Apply(header, noOp);
        }
    }
}
