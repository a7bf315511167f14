namespace RaftFast.LoadTest.Scenarios;

/// <summary>One action of a copy, measured under its name.</summary>
public sealed class Step(string name, Func<ValueTask<Response>> run)
{
    public string Name { get; } = name;

    /// <summary>Runs the step. A failure of the target is a response that is not Ok; an exception is a bug.</summary>
    public ValueTask<Response> RunAsync() => run();
}
