using System.Text;

namespace RaftFast.Linearizability;

/// <summary>
/// First moment at which a key's history stops being linearizable: the completion of <see cref="Culprit"/>. All
/// operations before this moment still fit, in the order of <see cref="Prefix"/>.
/// </summary>
/// <param name="Prefix">A linearization of the history before the culprit's completion.</param>
/// <param name="Value">Value of the key after <paramref name="Prefix"/>.</param>
/// <param name="Culprit">Operation that fits nowhere with the outcome that it reports.</param>
/// <param name="Pending">Operations that were under way when the culprit completed, and have no place in
/// <paramref name="Prefix"/>.</param>
public sealed record Violation(
    int Key, IReadOnlyList<Operation> Prefix, int Value, Operation Culprit, IReadOnlyList<Operation> Pending)
{
    private const int PrefixLinesMax = 30;

    /// <summary>The operations that could not be placed, the culprit first.</summary>
    public IReadOnlyList<Operation> Unplaced => [Culprit, .. Pending];

    public override string ToString()
    {
        StringBuilder text = new();
        text.AppendLine($"key {Key} is not linearizable");
        int skipped = Math.Max(0, Prefix.Count - PrefixLinesMax);
        text.AppendLine(skipped == 0
            ? $"in this order {Prefix.Count} operations fit:"
            : $"in this order {Prefix.Count} operations fit, of which the last {PrefixLinesMax} are:");
        for (int i = skipped; i < Prefix.Count; i++)
            text.AppendLine($"    {Prefix[i]}");
        text.AppendLine($"the value is then {Operation.Name(Value)}, and this fits nowhere:");
        text.AppendLine($"  ✗ {Culprit}");
        if (Pending.Count > 0)
            text.AppendLine("under way at that time, and not placed:");
        foreach (Operation operation in Pending)
            text.AppendLine($"  ? {operation}");
        return text.ToString();
    }
}
