using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Open operations of a register, in classes of equal effect. Operations of a class differ only in their invocation. So
/// they are placed in the order of invocation, and only the first that is left needs to be tried.
/// </summary>
internal sealed class OpenOperations
{
    private readonly RegisterHistory history;
    private readonly List<int> starts = [];
    private readonly int[] classes;
    private readonly int[] next;

    public OpenOperations(RegisterHistory history)
    {
        this.history = history;
        Transition[] transitions = history.Transitions;
        classes = new int[transitions.Length];
        for (int i = history.CompletedCount; i < transitions.Length; i++)
        {
            if (i == history.CompletedCount || transitions[i] != transitions[i - 1])
                starts.Add(i);
            classes[i] = starts.Count - 1;
        }
        next = [.. starts];
        starts.Add(transitions.Length);
    }

    public int ClassCount => next.Length;

    public Transition TransitionOf(int @class) => history.Transitions[starts[@class]];

    /// <summary>First operation of the class that is not placed, if it was invoked by this time; else -1.</summary>
    public int First(int @class, long invokedBy)
    {
        int first = next[@class];
        return first < starts[@class + 1] && history.Operations[first].Invoked <= invokedBy ? first : -1;
    }

    public void Lift(int operation)
    {
        Invariant.Hold(next[classes[operation]] == operation);
        next[classes[operation]]++;
    }

    public void Restore(int operation)
    {
        next[classes[operation]]--;
        Invariant.Hold(next[classes[operation]] == operation);
    }
}
