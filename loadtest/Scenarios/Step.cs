namespace RaftFast.LoadTest.Scenarios;

/// <summary>One thing that a copy does and that is measured under its name.</summary>
public sealed class Step(string name, Func<ValueTask<Response>> run)
{
    public string Name { get; } = name;

    /// <summary>What goes wrong outside is a response that is not Ok; an exception is a bug.</summary>
    public ValueTask<Response> RunAsync() => run();
}
