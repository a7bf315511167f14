using CsCheck;

namespace RaftFast.Linearizability.Tests;

internal enum Fate
{
    Answered,
    UnansweredButDone,
    UnansweredAndNotDone,
}

/// <summary>
/// An operation of a history that is linearizable by construction. The n-th step takes effect at time 10n. The step is
/// invoked at 10n or before, and answered at 10n or later with the result of that moment.
/// </summary>
internal sealed record Step(OperationKind Kind, int Key, int Expected, int Value, int Before, int After, Fate Fate)
{
    public static Gen<Step> Any(int keys, int spread) => Gen.Select(
        Gen.Int[0, 8], Gen.Int[0, keys - 1], Gen.Int[-2, 3], Gen.Int[0, 2],
        Gen.Int[0, spread], Gen.Int[0, spread], Gen.Int[0, 9],
        (kind, key, expected, value, before, after, fate) =>
            new Step(KindOf(kind), key, expected, value, before, after, fate switch
            {
                0 => Fate.UnansweredButDone,
                1 => Fate.UnansweredAndNotDone,
                _ => Fate.Answered,
            }));

    /// <param name="distinct">True if the n-th step writes the value n, instead of its own.</param>
    /// <remarks>An expected value of 3 stands for the present value, so that some compare-and-sets succeed.</remarks>
    public static Operation[] Run(Step[] steps, bool distinct)
    {
        Dictionary<int, int> values = [];
        Operation[] operations = new Operation[steps.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            Step step = steps[i];
            int value = values.GetValueOrDefault(step.Key, RegisterValue.Absent);
            int expected = step.Expected == 3 ? value : step.Expected;
            int written = distinct ? i : step.Value;
            bool matches = expected == RegisterValue.Any ? value != RegisterValue.Absent : value == expected;
            long invoked = 10 * i - step.Before;
            long completed = 10 * i + step.After;
            Operation operation = step.Kind switch
            {
                OperationKind.Get => Operation.Get(i, step.Key, invoked).Returned(value, completed),
                OperationKind.Put => Operation.Put(i, step.Key, written, invoked).Succeeded(completed),
                OperationKind.Delete => Operation.Delete(i, step.Key, invoked).Succeeded(completed),
                _ when matches => Operation.CompareAndSet(i, step.Key, expected, written, invoked).Succeeded(completed),
                _ => Operation.CompareAndSet(i, step.Key, expected, written, invoked).Mismatched(completed),
            };
            bool writes = step.Kind != OperationKind.Get && operation.Outcome == Outcome.Succeeded;
            if (writes && step.Fate != Fate.UnansweredAndNotDone)
                values[step.Key] = operation.Kind == OperationKind.Delete ? RegisterValue.Absent : written;
            operations[i] = step.Fate == Fate.Answered ? operation : operation.WithoutCompletion();
        }
        return operations;
    }

    private static OperationKind KindOf(int number) => number switch
    {
        < 4 => OperationKind.Get,
        < 6 => OperationKind.Put,
        < 8 => OperationKind.CompareAndSet,
        _ => OperationKind.Delete,
    };
}
