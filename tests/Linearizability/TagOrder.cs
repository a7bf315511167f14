using RaftFast.Protocol;

namespace RaftFast.Linearizability;

/// <summary>
/// Tags of one key's values. A tag is the log index of the write that gave the key the value, so each value has one
/// tag, each tag belongs to one value, and tags grow from write to write. An answer with a tag pins the state that
/// the operation met or left.
/// </summary>
internal sealed class TagOrder
{
    private readonly Dictionary<int, long> tags = [];
    private readonly Dictionary<long, int> values = [];

    /// <param name="operations">Operations of one key.</param>
    public TagOrder(ReadOnlySpan<Operation> operations)
    {
        bool hasTags = false;
        foreach (Operation operation in operations)
        {
            hasTags |= operation.Tag != 0;
            if (operation.Tag != 0 && operation.Outcome == Outcome.Succeeded)
                IsContradictory |= !TryAdd(operation.Value, operation.Tag);
        }
        HasDistinctValues = AreDistinct(operations);
        if (!hasTags)
            return;
        Invariant.Hold(HasDistinctValues);
        foreach (Operation operation in operations)
        {
            if (operation.Tag != 0 && operation.Outcome == Outcome.Mismatched)
                IsContradictory |= !MayHaveMet(operation, operations);
        }
        IsContradictory |= GoBack(operations);
    }

    public bool IsContradictory { get; }

    /// <summary>True if no value is written twice.</summary>
    public bool HasDistinctValues { get; }

    /// <summary>Value that a mismatched operation (412) met, if its answer tells the value; else null.</summary>
    public int? ObservedBy(in Operation operation) =>
        operation.Outcome == Outcome.Mismatched && values.TryGetValue(operation.Tag, out int value) ? value : null;

    /// <summary>Tag of the value that the operation writes; 0 if no answer tells it.</summary>
    public long WrittenBy(in Operation operation) =>
        operation.WritesValue ? tags.GetValueOrDefault(operation.Value) : 0;

    private bool TryAdd(int value, long tag) =>
        (tags.TryAdd(value, tag) || tags[value] == tag) && (values.TryAdd(tag, value) || values[tag] == value);

    /// <summary>
    /// True if the tag in a 412 may be that of another value than the expected one. No answer tells the tag of a write
    /// with an unknown outcome: such a write may have given the key a tag that nothing else explains.
    /// </summary>
    private bool MayHaveMet(in Operation mismatch, ReadOnlySpan<Operation> operations)
    {
        if (mismatch.Expected == RegisterValue.Any)
            return false;
        if (values.TryGetValue(mismatch.Tag, out int met))
            return met != mismatch.Expected;
        foreach (Operation write in operations)
        {
            bool mayBeMet = write.WritesValue && write.Outcome == Outcome.Unknown && write.Value != mismatch.Expected;
            if (mayBeMet && write.Invoked <= mismatch.Completed && !tags.ContainsKey(write.Value))
                return true;
        }
        return false;
    }

    /// <summary>True if an operation with a lower tag was invoked after one with a higher tag had completed.</summary>
    private static bool GoBack(ReadOnlySpan<Operation> operations)
    {
        List<Operation> tagged = [];
        foreach (Operation operation in operations)
        {
            if (operation.Tag != 0)
                tagged.Add(operation);
        }
        tagged.Sort((left, right) => right.Tag.CompareTo(left.Tag));
        long completed = long.MaxValue;
        for (int start = 0, end; start < tagged.Count; start = end)
        {
            for (end = start; end < tagged.Count && tagged[end].Tag == tagged[start].Tag; end++)
            {
                if (tagged[end].Invoked > completed)
                    return true;
            }
            for (int i = start; i < end; i++)
                completed = Math.Min(completed, tagged[i].Completed);
        }
        return false;
    }

    private static bool AreDistinct(ReadOnlySpan<Operation> operations)
    {
        HashSet<int> written = [];
        foreach (Operation operation in operations)
        {
            if (operation.WritesValue && !written.Add(operation.Value))
                return false;
        }
        return true;
    }
}
