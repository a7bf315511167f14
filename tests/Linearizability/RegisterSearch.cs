using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Looks for an order of one register's operations that is legal and agrees with real time, depth first (Wing and Gong,
/// "Testing and verifying concurrent objects", 1993), never entering a state twice (Lowe, "Testing for linearizability",
/// 2017). An operation may come next if no other that is not yet placed completed before its invocation. Which of these
/// have to be tried:
/// <list type="bullet">
/// <item><description>One that changes nothing and is legal goes first, and has no alternative: wherever else it could
/// stand, it can be moved to here.</description></item>
/// <item><description>An open one only if it makes another legal that is not. In an order with the fewest open
/// operations, each as late as can be, what follows such an operation needs it: else it could be left out or move
/// behind.</description></item>
/// <item><description>None that replaces a value for good while a completed operation must still meet it, or brings it for
/// the last time when it can't stay until then (<see cref="ValueSupply"/>).</description></item>
/// </list>
/// The problem is NP-complete (Gibbons and Korach, "Testing shared memories", 1997), though not where no value is written
/// twice: there the time is nearly linear. Where many write the same few values at once it can be exponential.
/// </summary>
internal sealed class RegisterSearch
{
    /// <summary>A state of the search: so many operations placed, with this value, and what is left to try from there on.</summary>
    private readonly record struct Frame(int PathLength, int Value, int CandidatesStart);

    /// <summary>
    /// 2 GiB of keys, what a test machine can spare: 90 million states of up to 64 operations under way and as many open.
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

    /// <summary>Completes first of those that are not placed: what is invoked later can't come next.</summary>
    private int firstToComplete;

    /// <summary>Equal to <see cref="expansion"/>: an operation that could come next is waiting for this value.</summary>
    private readonly int[] wantedAt;
    private int expansion;

    /// <summary>An operation that could come next is waiting for any value but the present one.</summary>
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

    /// <summary>What has been placed, in order: after a successful <see cref="Run"/>, a linearization.</summary>
    public IReadOnlyList<int> Path => path;

    /// <returns>Whether all completed operations can be placed.</returns>
    public bool Run()
    {
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

    /// <summary>Notes what is to be tried from here: writes that another waits for, then open ones, then other writes.</summary>
    private void Expand()
    {
        int start = candidates.Count;
        frames.Push(new(path.Count, value, start));
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
        // An open operation's wish counts if its own effect is one: a chain of them must end at a completed operation.
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
        if (transition.IsLegal(value) && !supply.IsLostTo(operation, value) && !supply.IsTooEarly(operation))
            candidates.Add(operation);
    }

    private void Place(int operation)
    {
        value = history.Transitions[operation].Apply(value);
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
    }

    /// <summary>
    /// Only the words that can differ are part of a state's key: all operations before the first that is not placed are
    /// placed, none is that was invoked after the first completion still to come.
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

    private void Flip(int operation)
    {
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
