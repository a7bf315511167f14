namespace RaftFast.LoadTest.Scenarios;

/// <summary>What the copies of a scenario ask for.</summary>
public abstract class Load
{
    /// <summary>Of each value.</summary>
    public abstract int ValueBytes { get; }

    /// <summary>Brings the target to the state in which the copies expect it.</summary>
    /// <returns>Not Ok: the first thing that went wrong.</returns>
    public abstract Task<Response> PrepareAsync(Target target);

    /// <param name="number">From 0; equal numbers make equal choices.</param>
    public abstract Copy CreateCopy(Target target, int number);
}
