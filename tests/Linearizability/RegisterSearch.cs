using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Searches depth first for an order of one register's operations (Wing and Gong, "Testing and verifying concurrent
/// objects", 1993). The order must be legal and agree with real time. No state is entered twice (Lowe, "Testing for
/// linearizability", 2017). An operation is a candidate for the next place if no unplaced operation completed before
/// its invocation. Not all candidates have to be tried:
/// <list type="bullet">
/// <item><description>A legal operation that changes nothing is placed at once, without an alternative: it could be
/// moved here from any later place.</description></item>
/// <item>
/// <description>An open operation is tried only if it makes another operation legal. Take an order with the fewest open
/// operations, each as late as possible. The operation after an open one needs the open one, which could otherwise be
/// left out or moved later.</description>
/// </item>
/// <item><description>An operation is not tried if it replaces a value that no write can bring back while a completed
/// operation must still read the value. The last write of a value is not tried if the value can't stay until its last
/// reader (<see cref="ValueSupply"/>).</description></item>
/// </list>
/// The problem is NP-complete (Gibbons and Korach, "Testing shared memories", 1997). If no value is written twice, the
/// time is nearly linear. If many clients write the same few values at once, the time can be exponential.
/// </summary>
internal sealed class RegisterSearch
{
    /// <summary>
    /// State of the search: the number of operations placed, the value, the greatest tag, and where the candidates left
    /// to try begin.
    /// </summary>
    private readonly record struct Frame(int PathLength, int Value, long LastTag, int CandidatesStart);

    /// <summary>
    /// Maximum words of state keys: 2 GiB, which a test machine can spare. Enough for 90 million states with up to 64
    /// operations under way and as many open.
    /// </summary>
    private const int StateWordsMax = 1 << 28;

    private readonly RegisterHistory history;
    private readonly EventList events;
    private readonly OpenOperations open;
    private readonly ValueSupply supply;
    private readonly VisitedStates visited = new(StateWordsMax);
    private readonly Stack<Frame> frames = new();
    private readonly List<int> candidates = [];
    private readonly List<int> path = [];

    private readonly int completedWords;
    private readonly ulong[] placed;
    private ulong placedHash;

    private int completedLeft;
    private int value = RegisterHistory.AbsentValue;

    /// <summary>
    /// Greatest tag of a write that is placed. Tags are log indices, so writes are placed in the order of their tags.
    /// </summary>
    private long lastTag;

    /// <summary>
    /// Unplaced operation that completes first. An operation invoked after this completion is no candidate.
    /// </summary>
    private int firstToComplete;

    /// <summary>
    /// Number of the last <see cref="expansion"/> in which a candidate was waiting for the value, by value.
    /// </summary>
    private readonly int[] wantedAt;
    private int expansion;

    /// <summary>True while a candidate is waiting for any value but the present one.</summary>
    private bool otherValueWanted;

    public RegisterSearch(RegisterHistory history)
    {
        this.history = history;
        events = new EventList(history.Operations.AsSpan(0, history.CompletedCount));
        open = new OpenOperations(history);
        supply = new ValueSupply(history, events);
        completedLeft = history.CompletedCount;
        completedWords = Words(history.CompletedCount);
        placed = new ulong[completedWords + Words(history.Operations.Length - history.CompletedCount)];
        wantedAt = new int[history.ValueCount];
    }

    /// <summary>Operations placed, in order; a linearization after a successful <see cref="Run"/>.</summary>
    public IReadOnlyList<int> Path => path;

    /// <returns>True if all completed operations can be placed.</returns>
    public bool Run()
    {
        if (history.IsContradictory)
            return false;
        PlaceObservers();
        if (completedLeft > 0)
            Expand();
        while (completedLeft > 0)
        {
            Frame frame = frames.Peek();
            if (candidates.Count == frame.CandidatesStart)
            {
                frames.Pop();
                if (frames.Count == 0)
                    return false;
                Rewind(frames.Peek());
                continue;
            }
            int candidate = candidates[^1];
            candidates.RemoveAt(candidates.Count - 1);
            Place(candidate);
            PlaceObservers();
            if (completedLeft == 0)
                continue;
            if (Visit())
                Expand();
            else
                Rewind(frame);
        }
        return true;
    }

    private void PlaceObservers()
    {
        int entry = events.First;
        for (; entry != events.End && !EventList.IsCompletion(entry); entry = events.Next(entry))
        {
            int operation = EventList.OperationOf(entry);
            if (history.Transitions[operation].Observes && history.Transitions[operation].IsLegal(value))
                Place(operation);
        }
        firstToComplete = EventList.OperationOf(entry);
    }

    /// <summary>
    /// Adds the candidates from here: first writes that another operation waits for, then open operations, then other
    /// writes.
    /// </summary>
    private void Expand()
    {
        int start = candidates.Count;
        frames.Push(new(path.Count, value, lastTag, start));
        FindWanted();
        AddCompleted(wanted: true);
        AddOpen();
        AddCompleted(wanted: false);
        candidates.Reverse(start, candidates.Count - start);
    }

    private void FindWanted()
    {
        expansion++;
        otherValueWanted = false;
        for (int entry = events.First; !EventList.IsCompletion(entry); entry = events.Next(entry))
            NoteWanted(history.Transitions[EventList.OperationOf(entry)]);
        // The value that an open operation waits for counts only if its own effect is wanted: a chain must end at a
        // completed operation.
        bool found;
        do
        {
            found = false;
            for (int i = 0; i < open.ClassCount; i++)
            {
                Transition transition = open.TransitionOf(i);
                if (!transition.IsLegal(value) && IsWanted(transition.Written) && open.First(i, InvokedBy) >= 0)
                    found |= NoteWanted(transition);
            }
        }
        while (found);
    }

    private bool NoteWanted(Transition transition)
    {
        if (transition.IsLegal(value))
            return false;
        if (transition.Guard == Guard.NotEqual)
        {
            bool news = !otherValueWanted;
            otherValueWanted = true;
            return news;
        }
        if (wantedAt[transition.Operand] == expansion)
            return false;
        wantedAt[transition.Operand] = expansion;
        return true;
    }

    private bool IsWanted(int written) => wantedAt[written] == expansion || otherValueWanted;

    private long InvokedBy => history.Operations[firstToComplete].Completed;

    private void AddCompleted(bool wanted)
    {
        for (int entry = events.First; !EventList.IsCompletion(entry); entry = events.Next(entry))
        {
            int operation = EventList.OperationOf(entry);
            Transition transition = history.Transitions[operation];
            if (!transition.Observes && IsWanted(transition.Written) == wanted)
                AddCandidate(operation, transition);
        }
    }

    private void AddOpen()
    {
        for (int i = 0; i < open.ClassCount; i++)
        {
            Transition transition = open.TransitionOf(i);
            if (transition.Written == value || !IsWanted(transition.Written))
                continue;
            int operation = open.First(i, InvokedBy);
            if (operation >= 0)
                AddCandidate(operation, transition);
        }
    }

    private void AddCandidate(int operation, Transition transition)
    {
        bool isInOrder = history.Tags[operation] == 0 || history.Tags[operation] > lastTag;
        if (isInOrder && transition.IsLegal(value)
            && !supply.IsLostTo(operation, value) && !supply.IsTooEarly(operation))
            candidates.Add(operation);
    }

    private void Place(int operation)
    {
        value = history.Transitions[operation].Apply(value);
        lastTag = Math.Max(lastTag, history.Tags[operation]);
        path.Add(operation);
        supply.Place(operation);
        Flip(operation);
        if (operation < history.CompletedCount)
        {
            events.Lift(operation);
            completedLeft--;
        }
        else
        {
            open.Lift(operation);
        }
    }

    private void Rewind(Frame frame)
    {
        while (path.Count > frame.PathLength)
        {
            int operation = path[^1];
            path.RemoveAt(path.Count - 1);
            supply.Restore(operation);
            Flip(operation);
            if (operation < history.CompletedCount)
            {
                events.Restore(operation);
                completedLeft++;
            }
            else
            {
                open.Restore(operation);
            }
        }
        value = frame.Value;
        lastTag = frame.LastTag;
    }

    /// <summary>
    /// Marks the present state as visited; returns false if it was before. A state's key holds only the words that can
    /// differ. All operations before the first unplaced one are placed, and none invoked after the next completion is.
    /// </summary>
    private bool Visit()
    {
        int first = EventList.OperationOf(events.First) / 64;
        int end = Words(events.InvokedBeforeCompletionOf(firstToComplete));
        Invariant.Hold(first < end);
        return visited.Add(
            Mix(placedHash + (ulong)value),
            ((ulong)(uint)first << 32) | (uint)value,
            placed.AsSpan(first, end - first),
            placed.AsSpan(completedWords));
    }

    /// <summary>
    /// True if it does not matter for the rest of the search whether the open operation is placed. The operation needs
    /// a certain value, and the value is written once. While the key has the value, the operation is not placed, and
    /// later it can't be. Without this rule each expiry would double the number of states.
    /// </summary>
    private bool IsForgotten(int operation) => operation >= history.CompletedCount && history.HasDistinctValues
        && history.Transitions[operation].Guard == Guard.Equal
        && history.Transitions[operation].Operand != RegisterHistory.AbsentValue;

    private void Flip(int operation)
    {
        if (IsForgotten(operation))
            return;
        int bit = operation < history.CompletedCount
            ? operation
            : operation - history.CompletedCount + 64 * completedWords;
        placed[bit / 64] ^= 1UL << (bit % 64);
        placedHash ^= Mix((ulong)bit + 1);
    }

    private static int Words(int bits) => (bits + 63) / 64;

    /// <summary>The output function of SplitMix64 (Steele, Lea and Flood 2014).</summary>
    private static ulong Mix(ulong x)
    {
        x *= 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
