namespace RaftFast.Linearizability.Tests;

/// <summary>Short notation for operations on key 0. An operation without a completion is open.</summary>
internal static class RegisterOperations
{
    public static Operation Get(int value, long invoked, long completed) =>
        Operation.Get(0, 0, invoked).Returned(value, completed);

    public static Operation Put(int value, long invoked, long? completed = null) =>
        Completed(Operation.Put(0, 0, value, invoked), completed);

    public static Operation Cas(int expected, int value, long invoked, long? completed = null) =>
        Completed(Operation.CompareAndSet(0, 0, expected, value, invoked), completed);

    public static Operation CasMismatch(int expected, int value, long invoked, long completed) =>
        Operation.CompareAndSet(0, 0, expected, value, invoked).Mismatched(completed);

    public static Operation Delete(long invoked, long? completed = null) =>
        Completed(Operation.Delete(0, 0, invoked), completed);

    private static Operation Completed(Operation operation, long? completed) =>
        completed is long time ? operation.Succeeded(time) : operation;
}
