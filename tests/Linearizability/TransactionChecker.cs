namespace RaftFast.Linearizability;

/// <summary>
/// Judges a history of operations on several keys as one object. Answers tell the place of each transaction in the log,
/// so no search is needed: the order of the log must explain every answer, and real time must allow the order. An
/// operation with an unknown outcome may have happened or not, until an answer tells.
/// </summary>
public static class TransactionChecker
{
    /// <param name="keys">Number of keys.</param>
    /// <returns>Null if the history is linearizable; else what does not fit.</returns>
    public static string? Check(IReadOnlyList<TransactionOperation> operations, int keys)
    {
        TransactionPlaces places = new(operations);
        if (places.Contradiction is { } contradiction)
            return contradiction;
        TransactionReplay replay = new(places, keys);
        return replay.Contradiction ?? CheckReads(operations, places, replay);
    }

    /// <summary>
    /// Gives each GET the earliest place that real time, its tag and the GETs before it allow. If a GET finds no such
    /// place, no other choice of places would leave it one.
    /// </summary>
    private static string? CheckReads(
        IReadOnlyList<TransactionOperation> operations, TransactionPlaces places, TransactionReplay replay)
    {
        List<TransactionOperation> reads = [];
        foreach (TransactionOperation operation in operations)
        {
            if (!operation.IsEntry && operation.Outcome == Outcome.Succeeded)
                reads.Add(operation);
        }
        reads.Sort((left, right) => left.Invoked.CompareTo(right.Invoked));
        PriorityQueue<int, long> underWay = new();
        int before = 0;
        foreach (TransactionOperation read in reads)
        {
            while (underWay.TryPeek(out int count, out long completed) && completed < read.Invoked)
            {
                before = Math.Max(before, count);
                underWay.Dequeue();
            }
            int first = Math.Max(before, places.CountBefore(read.Invoked));
            int last = places.CountMax(read.Completed);
            KeyState state = read.Reads[0];
            int place = first;
            while (place <= last && !replay.StatesAfter(place, state.Key).Include(state.Tag))
                place++;
            if (place > last)
                return $"no place after {first} to {last} entries has what a GET has read: {read}";
            underWay.Enqueue(place, read.Completed);
        }
        return null;
    }
}
