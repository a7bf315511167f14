namespace RaftFast.Linearizability.Tests;

/// <summary>
/// Jepsen's log of one register. Each line holds a process, :invoke, :ok, :fail or :info, then :read, :write or :cas
/// with argument or result. Times are line numbers. :fail is a read that timed out, or a compare-and-set that found
/// another value. The outcome is unknown after :info, and at the end of the log.
/// </summary>
internal static class JepsenRegisterLog
{
    public static IReadOnlyList<Operation> Parse(IEnumerable<string> lines)
    {
        List<Operation> operations = [];
        Dictionary<int, int> underWay = [];
        HashSet<int> withdrawn = [];
        long time = 0;
        foreach (string line in lines)
        {
            time++;
            string[] words = line.Split((char[])[' ', '\t', '[', ']'], StringSplitOptions.RemoveEmptyEntries);
            if (words is not ["INFO", "jepsen.util", "-", var process, var type, var function, .. var arguments])
                throw new FormatException($"line {time}: {line}");
            int client = int.Parse(process);
            if (type == ":invoke")
            {
                underWay.Add(client, operations.Count);
                operations.Add(Invoked(client, function, arguments, time));
                continue;
            }
            if (!underWay.Remove(client, out int index))
                throw new FormatException($"line {time}: nothing under way: {line}");
            Operation operation = operations[index];
            switch (type, function, arguments)
            {
                case (":ok", ":read", [var value]) when operation.Kind == OperationKind.Get:
                    operations[index] = operation.Returned(Value(value), time);
                    break;
                case (":ok", ":write", [_]) when operation == Invoked(client, function, arguments, operation.Invoked):
                    operations[index] = operation.Succeeded(time);
                    break;
                case (":ok", ":cas", [_, _]) when operation == Invoked(client, function, arguments, operation.Invoked):
                    operations[index] = operation.Succeeded(time);
                    break;
                case (":fail", ":cas", [_, _])
                    when operation == Invoked(client, function, arguments, operation.Invoked):
                    operations[index] = operation.Mismatched(time);
                    break;
                case (":fail", ":read", [":timed-out"]) when operation.Kind == OperationKind.Get:
                    withdrawn.Add(index);
                    break;
                case (":info", ":write", [":timed-out"]) when operation.Kind == OperationKind.Put:
                case (":info", ":cas", [":timed-out"]) when operation.Kind == OperationKind.CompareAndSet:
                    break;
                default:
                    throw new FormatException($"line {time}: {line}");
            }
        }
        return [.. operations.Where((_, index) => !withdrawn.Contains(index))];
    }

    private static Operation Invoked(int client, string function, string[] arguments, long time) =>
        (function, arguments) switch
        {
            (":read", ["nil"]) => Operation.Get(client, 0, time),
            (":write", [var value]) => Operation.Put(client, 0, int.Parse(value), time),
            (":cas", [var expected, var value]) =>
                Operation.CompareAndSet(client, 0, int.Parse(expected), int.Parse(value), time),
            _ => throw new FormatException($"line {time}: {function} {string.Join(' ', arguments)}"),
        };

    private static int Value(string word) => word == "nil" ? RegisterValue.Absent : int.Parse(word);
}
