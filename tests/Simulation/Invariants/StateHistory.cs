using System.Globalization;
using RaftFast.Linearizability;
using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Committed states of each key in simulated time, by which stale reads are judged. A state is recorded when the first
/// server has applied its entry. So a state that is recorded as replaced was replaced at that time or earlier.
/// </summary>
internal sealed class StateHistory(Cluster cluster)
{
    private readonly List<State>[] states = NewStates();
    private readonly Dictionary<long, int> values = [];
    private long recorded;
    private long outcomeBytes;

    /// <summary>Records the state of a server that has applied more than any other before.</summary>
    public void Record(SimulatedServer server)
    {
        KeyValueStore store = server.Store!;
        if (store.AppliedIndex <= recorded || cluster.Scenario.ConditionalPercent == 0)
            return;
        recorded = store.AppliedIndex;
        for (int key = 0; key < cluster.Scenario.Keys; key++)
        {
            long tag = store.TagOf(SimulatedClient.KeyBytes(key));
            State last = states[key][^1];
            if (tag == last.Tag)
                continue;
            bool hasExpired = tag == 0 && last.Deadline <= store.LogTime;
            cluster.Counters[Counter.KeysExpired] += hasExpired ? 1 : 0;
            long deadline = store.TimeOf(SimulatedClient.KeyBytes(key)) ?? long.MaxValue;
            states[key].Add(new State(recorded, cluster.Events.Now, tag, deadline));
        }
        cluster.Counters[Counter.OutcomesForgotten] += store.OutcomeBytes < outcomeBytes ? 1 : 0;
        outcomeBytes = store.OutcomeBytes;
    }

    /// <summary>
    /// Judges an answer to <c>max-stale</c>. The state in the answer must have been committed. It must not have been
    /// replaced longer ago than the answer's age, or than the age that the client accepts.
    /// </summary>
    /// <param name="sent">Time at which the client sent the request.</param>
    /// <param name="age">Seconds; -1 if the answer tells none.</param>
    public void JudgeStale(
        SimulatedServer server, in KeyRequest asked, long sent, int value, long tag, long age)
    {
        Record(server);
        long now = cluster.Events.Now;
        Must(age >= 0, "does not tell its age", server, asked, tag, age);
        Must(tag <= server.Node!.Core.Log.Committed, "is not committed", server, asked, tag, age);
        Must(tag == 0 || values.TryAdd(tag, value) || values[tag] == value, "has another value's tag",
            server, asked, tag, age);
        Must(WasPresent(asked.Key, tag, now - (server.Second * age)), "is older than it says", server, asked, tag, age);
        // If the state is older than the client accepts, the server makes an ordinary read: that state was present
        // after the request was sent.
        long accepted = Math.Min(sent, now - (server.Second * asked.StaleMax));
        Must(WasPresent(asked.Key, tag, accepted), "is older than the client accepts", server, asked, tag, age);
        cluster.Counters[Counter.StaleReadsServed]++;
        cluster.Counters[Counter.StaleReadsOfOldState] += tag != 0 && IsReplaced(asked.Key, tag, now) ? 1 : 0;
    }

    /// <summary>False if the key has surely lost this state before <paramref name="time"/>.</summary>
    private bool WasPresent(int key, long tag, long time) =>
        tag == 0 ? MayBeAbsent(key, time) : !IsReplaced(key, tag, time);

    private bool IsReplaced(int key, long tag, long before)
    {
        foreach (State state in states[key])
        {
            if (state.Index >= tag && state.Tag != tag && state.Since < before)
                return true;
        }
        return false;
    }

    /// <summary>
    /// True if the key may have been absent at this time or later: it is absent now, or has changed since. It may have
    /// been absent between two recorded states.
    /// </summary>
    private bool MayBeAbsent(int key, long since)
    {
        List<State> all = states[key];
        return all[^1].Tag == 0 || all[^1].Since >= since;
    }

    private static List<State>[] NewStates()
    {
        List<State>[] all = new List<State>[SimulatedClient.KeysMax];
        for (int key = 0; key < all.Length; key++)
            all[key] = [new State(0, 0, 0, long.MaxValue)];
        return all;
    }

    private static void Must(
        bool property, string otherwise, SimulatedServer server, in KeyRequest asked, long tag, long age)
    {
        if (property)
            return;
        throw new InvariantException(string.Create(CultureInfo.InvariantCulture,
            $"a stale read at server {server.Number + 1} {otherwise}: key {asked.Key}, tag {tag}, age {age} s"));
    }

    private readonly record struct State(long Index, long Since, long Tag, long Deadline);
}
