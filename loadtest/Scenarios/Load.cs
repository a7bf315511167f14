namespace RaftFast.LoadTest.Scenarios;

/// <summary>The requests that the copies of a scenario send.</summary>
public abstract class Load
{
    /// <summary>Bytes of each value.</summary>
    public abstract int ValueBytes { get; }

    /// <summary>Brings the target to the state that the copies expect.</summary>
    /// <returns>A response that is Ok, or the first failure.</returns>
    public abstract Task<Response> PrepareAsync(Target target);

    /// <param name="number">Number of the copy, from 0. Copies of the same number make the same choices.</param>
    public abstract Copy CreateCopy(Target target, int number);
}
