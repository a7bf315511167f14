using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Places of operations in the log. An answer tells its operation's place. An operation with an unknown outcome took
/// effect, whole, at the index that is the tag of a value that it wrote, if any answer tells such a tag.
/// </summary>
internal sealed class TransactionPlaces
{
    private readonly Dictionary<int, TransactionOperation> writers = [];
    private readonly Dictionary<TransactionOperation, long> places = new(ReferenceEqualityComparer.Instance);
    private readonly List<(long Index, TransactionOperation Operation)> entries = [];
    private readonly List<TransactionOperation> unplaced = [];

    /// <summary>
    /// Completions in their order, each with the number of entries up to the last entry that was completed by then.
    /// </summary>
    private readonly List<(long Time, int Count)> completions = [];

    /// <summary>
    /// Invocations in their order, each with the fewest entries before one that was invoked then or later.
    /// </summary>
    private readonly List<(long Time, int Count)> invocations = [];

    public TransactionPlaces(IReadOnlyList<TransactionOperation> operations)
    {
        foreach (TransactionOperation operation in operations)
        {
            foreach (TransactionWrite write in operation.Writes)
                Invariant.Hold(write.Value == RegisterValue.Absent || writers.TryAdd(write.Value, operation));
            if (operation.IsEntry)
                places.Add(operation, operation.Index);
        }
        foreach (TransactionOperation operation in operations)
            Contradiction ??= Place(operation.Reads);
        foreach (TransactionOperation operation in operations)
        {
            if (places.TryGetValue(operation, out long index))
                entries.Add((index, operation));
            else if (operation.Outcome == Outcome.Unknown && MayHappen(operation))
                unplaced.Add(operation);
        }
        entries.Sort((left, right) => left.Index.CompareTo(right.Index));
        Contradiction ??= Disorder();
        SumUp();
    }

    /// <summary>Violation that the answers show without a replay; null if there is none.</summary>
    public string? Contradiction { get; }

    /// <summary>Operations whose place is known, in the order of the log.</summary>
    public IReadOnlyList<(long Index, TransactionOperation Operation)> Entries => entries;

    /// <summary>Operations that may have taken effect, and expiries. No answer tells a value of theirs.</summary>
    public IReadOnlyList<TransactionOperation> Unplaced => unplaced;

    /// <summary>Tag of a value; 0 if no answer tells it.</summary>
    public long TagOf(int value) => places.GetValueOrDefault(writers[value]);

    /// <summary>Number of entries that surely come before an operation that was invoked at this time.</summary>
    public int CountBefore(long invoked) => LastEarlier(completions, invoked) is var last and >= 0
        ? completions[last].Count
        : 0;

    /// <summary>Maximum entries before an operation that was completed at this time.</summary>
    public int CountMax(long completed)
    {
        int later = LastEarlier(invocations, completed) + 1;
        while (later < invocations.Count && invocations[later].Time == completed)
            later++;
        return later < invocations.Count ? invocations[later].Count : entries.Count;
    }

    /// <summary>False for the expiry of a value whose write was withdrawn.</summary>
    private bool MayHappen(TransactionOperation operation) =>
        operation.Expired is not { } value || writers.ContainsKey(value);

    private string? Place(IReadOnlyList<KeyState> reads)
    {
        foreach (KeyState read in reads)
        {
            if (read.Value == RegisterValue.Absent != (read.Tag == 0))
                return $"a key has a tag if and only if it exists: {read}";
            if (read.Tag == 0)
                continue;
            if (!writers.TryGetValue(read.Value, out TransactionOperation? writer)
                || !writer.Writes.Contains(new TransactionWrite(read.Key, read.Value)))
            {
                return $"nobody wrote this: {read}";
            }
            if (writer.Outcome == Outcome.Mismatched)
                return $"a value of a failed transaction is read: {read}, of {writer}";
            if (!places.TryAdd(writer, read.Tag) && places[writer] != read.Tag)
                return $"a transaction has two places, {places[writer]} and {read.Tag}: {writer}";
        }
        return null;
    }

    /// <summary>Finds two entries at one index, or in another order than that of real time.</summary>
    private string? Disorder()
    {
        TransactionOperation? first = null;
        for (int i = entries.Count - 1; i >= 0; i--)
        {
            TransactionOperation operation = entries[i].Operation;
            if (i > 0 && entries[i - 1].Index == entries[i].Index)
                return $"two operations have one entry: {entries[i - 1].Operation}, and {operation}";
            if (first is not null && operation.Invoked > first.Completed)
                return $"an operation has a later place than one that began after its end: {first}, and {operation}";
            if (first is null || operation.Completed < first.Completed)
                first = operation;
        }
        return null;
    }

    private void SumUp()
    {
        for (int i = 0; i < entries.Count; i++)
        {
            if (entries[i].Operation.Completed != Operation.Open)
                completions.Add((entries[i].Operation.Completed, i + 1));
            invocations.Add((entries[i].Operation.Invoked, i));
        }
        completions.Sort();
        for (int i = 1; i < completions.Count; i++)
            completions[i] = (completions[i].Time, Math.Max(completions[i].Count, completions[i - 1].Count));
        invocations.Sort();
        for (int i = invocations.Count - 2; i >= 0; i--)
            invocations[i] = (invocations[i].Time, Math.Min(invocations[i].Count, invocations[i + 1].Count));
    }

    /// <returns>Ordinal of the last item before this time, or -1.</returns>
    private static int LastEarlier(List<(long Time, int Count)> items, long time)
    {
        int found = items.BinarySearch((time, -1));
        return (found < 0 ? ~found : found) - 1;
    }
}
