namespace RaftFast.LoadTest.Scenarios;

/// <summary>One of the clients that a scenario runs with. It is used by one caller at a time.</summary>
public abstract class Copy : IDisposable
{
    /// <summary>The steps of its next iteration, to be run in order up to the first that is not Ok.</summary>
    public abstract IReadOnlyList<Step> Next();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
